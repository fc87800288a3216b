#!/bin/sh
# do: all that one does with Postrider. `./do` alone lists it.
set -eu
cd "$(dirname "$0")"

BUILD_PACKAGES='gcc libc6-dev cmake ninja-build pkgconf libuv1-dev libunbound-dev libyaml-dev libjansson-dev libidn2-dev libpsl-dev libgsasl-dev libcrypt-dev libsqlite3-dev libpq-dev libldap-dev libpam0g-dev libssl-dev libcurl4-openssl-dev zlib1g-dev libseccomp-dev libcap-ng-dev'
RUN_PACKAGES='curl'
CLANG_PACKAGES='clang'
LINT_PACKAGES='python3 binutils clang-format clang-tidy cppcheck'
TEST_PACKAGES='libcmocka-dev libclang-rt-dev util-linux'
PEER_PACKAGES='libevent-2.1-7 libgnutls-dane0 libidn12 libnsl2 libpcre2-8-0 libdb5.3' # what the peers' programs need
MACHINE_PACKAGES='qemu-system-x86 busybox-static cpio' # 50,000 sessions want a machine of their own
PYTHON=/usr/bin/python3 # Debian's own: the tests' modules are Debian's packages

usage() {
    cat <<'END'
usage: ./do COMMAND

  run              install what is missing, build, start the sandbox on 127.0.0.1:2525
  build            build build/postrider (release)
  test             lint, unit tests and fuzz corpora under sanitizers, end-to-end tests
  lint             layers, purity, sizes, format, clang-tidy, cppcheck
  fuzz [T] [SECS]  fuzz one target, or every one, for SECS (60) seconds each
  crash            the tests that cut the power and kill the server: the simulations, then the real program
  soak [MIN] [SEED] a mixed load with faults at random for so many minutes (20)
  format           clang-format every source file
  install [PREFIX] install under PREFIX (/usr/local)
  bench [W...]     side by side with other mail servers: bench/RESULTS.md (--quick: one short round)
END
}

say() {
    printf '\n== %s\n' "$*"
}

# need PURPOSE PACKAGE...: installs the Debian packages that are missing, and says so before.
need() {
    purpose=$1
    shift
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' ||
            missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "To $purpose, these Debian packages are installed now (apt-get):$missing"
    as_root=
    if [ "$(id -u)" != 0 ]; then
        as_root=sudo
        command -v sudo >/dev/null || {
            echo "This needs root, and there is no sudo. As root: apt-get install$missing" >&2
            exit 69
        }
    fi
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
}

# build PRESET [TARGET...]
build() {
    preset=$1
    shift
    launcher=
    if command -v ccache >/dev/null; then
        launcher=-DCMAKE_C_COMPILER_LAUNCHER=ccache
    fi
    # shellcheck disable=SC2086
    cmake --preset "$preset" $launcher >/dev/null
    folder=build-$preset
    [ "$preset" != release ] || folder=build
    ninja -C "$folder" "$@"
}

build_release() {
    # shellcheck disable=SC2086
    need 'build Postrider' $BUILD_PACKAGES
    say 'Building build/postrider'
    build release
}

lint() {
    cmake --preset clang >/dev/null
    "$PYTHON" -B tests/lint/run.py
}

# steady COMMAND...: without address randomisation where that can be had: sanitizers of gcc 12 and
# clang 14 may die at start with it.
steady() {
    if setarch -R true 2>/dev/null; then
        setarch -R "$@"
    else
        "$@"
    fi
}

unit_tests() {
    steady ctest --test-dir build-sanitize -j2 --output-on-failure --timeout 240
}

# A test that fails is run once more, and listed as RERUN: the machines that
# this runs on are shared, and what only a crowded machine breaks is to be looked into, not to stop
# a landing.
e2e_tests() {
    ls tests/e2e/test_*.py >/dev/null 2>&1 || {
        echo 'no end-to-end tests: 0 passed, 0 failed'
        return 0
    }
    POSTRIDER=$PWD/build-sanitize/postrider \
        steady "$PYTHON" -B -m pytest -q -p no:cacheprovider -n 3 --dist loadfile --reruns 1 -rfER --durations=5 tests/e2e "$@"
}

test_all() {
    # shellcheck disable=SC2046,SC2086
    need 'build and test Postrider' $BUILD_PACKAGES $CLANG_PACKAGES $LINT_PACKAGES $TEST_PACKAGES \
        $(cat tests/e2e/packages.txt)
    results=$(mktemp -d)
    trap 'rm -rf "$results"' EXIT
    stage 'builds: release, gcc' "$results" build release
    stage 'builds: address and undefined-behaviour sanitizers' "$results" build sanitize
    stage 'builds: clang' "$results" build clang
    stage 'lint' "$results" lint
    stage 'unit tests, fuzz corpora' "$results" unit_tests
    stage 'end-to-end tests' "$results" e2e_tests
    say 'Summary'
    awk '{ printf "  %-52s %4d passed, %d failed, %d s\n", $4 ? substr($0, index($0, $4)) : "", $1, $2, $3
           passed += $1; failed += $2 }
         END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 }' "$results/all"
}

# stage NAME RESULTS COMMAND...: runs it, shows its output, and notes how much of it passed.
stage() {
    name=$1
    results=$2
    shift 2
    say "$name"
    began=$(date +%s)
    { (set -e; "$@") 2>&1 && echo 0 >"$results/code" || echo 1 >"$results/code"; } | tee "$results/out"
    took=$(($(date +%s) - began))
    awk -v code="$(cat "$results/code")" -v took="$took" -v name="$name" '
        # ctest: "99% tests passed, 1 tests failed out of 90"; pytest, lint: "9 passed, 1 failed"
        /% tests passed, [0-9]+ tests failed out of [0-9]+/ { failed = $4; passed = $NF - $4 }
        /[0-9]+ (passed|failed|errors?|skipped)/ && !/tests passed/ {
            p = f = 0
            for (i = 2; i <= NF; i++) {
                if ($i ~ /^passed/) p = $(i - 1)
                if ($i ~ /^(failed|errors?)/) f += $(i - 1)
            }
            if (p + f > 0) { passed = p; failed = f }
        }
        END {
            if (passed + failed == 0) passed = code == 0 && name ~ /^builds/
            if (code != 0 && failed == 0) failed = 1
            print passed + 0, failed + 0, took, name
        }' "$results/out" >>"$results/all"
}

fuzz() {
    # shellcheck disable=SC2086
    need 'fuzz Postrider' $BUILD_PACKAGES $CLANG_PACKAGES $TEST_PACKAGES
    build fuzz
    seconds=${2:-60}
    failed=0
    for target in tests/fuzz/fuzz_${1:-*}.c; do
        name=$(basename "$target" .c)
        say "$name, $seconds s"
        mkdir -p "build-fuzz/found/$name"
        (cd build-fuzz/found &&
            steady ../tests/fuzz/"$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
                -print_final_stats=1 -verbosity=0 -artifact_prefix="$name-" "$name" \
                "../../tests/fuzz/corpus/${name#fuzz_}") || failed=$((failed + 1))
    done
    say "$failed targets failed; what they found is in build-fuzz/found/"
    [ "$failed" = 0 ]
}

crash() {
    # shellcheck disable=SC2046,SC2086
    need 'run the crash tests' $BUILD_PACKAGES $TEST_PACKAGES python3 $(cat tests/e2e/packages.txt)
    build sanitize
    steady ctest --test-dir build-sanitize -R 'crash|restart' --output-on-failure
    for rack in crash_spool crash_sim; do
        say "$rack: 10,000 runs, seeds 1 to 10000"
        steady build-sanitize/tests/$rack 1 5000 &
        first_half=$!
        steady build-sanitize/tests/$rack 5001 5000
        wait "$first_half"
    done
    e2e_tests -k 'kill or crash'
    say 'The real program: kills, disks, limits, hostile clients'
    rack_program
    POSTRIDER=$PWD/build/postrider "$PYTHON" -B -m pytest -q -p no:cacheprovider tests/crash/rack
}

# The rack sends to a release build, as users have it.
rack_program() {
    # shellcheck disable=SC2046,SC2086
    need 'run the rack' $BUILD_PACKAGES python3 $(cat tests/e2e/packages.txt) e2fsprogs faketime
    build release
}

soak() {
    rack_program
    POSTRIDER=$PWD/build/postrider "$PYTHON" -B tests/crash/rack/soak.py "$@"
}

command=${1:-help}
[ $# = 0 ] || shift
case $command in
run)
    # shellcheck disable=SC2086
    need 'build and run Postrider' $BUILD_PACKAGES $RUN_PACKAGES
    build_release
    exec build/postrider serve "$@"
    ;;
build) build_release ;;
test) test_all ;;
lint)
    # shellcheck disable=SC2086
    need 'check the source' $BUILD_PACKAGES $CLANG_PACKAGES $LINT_PACKAGES $TEST_PACKAGES
    build release
    lint
    ;;
fuzz) fuzz "$@" ;;
crash) crash ;;
soak) soak "$@" ;;
format)
    need 'format the source' clang-format
    find src tests -name '*.[ch]' -exec clang-format -i {} +
    ;;
install)
    build_release
    cmake --install build --prefix "${1:-/usr/local}"
    ;;
bench)
    # shellcheck disable=SC2086
    need 'measure Postrider beside others' $BUILD_PACKAGES python3 openssl util-linux $PEER_PACKAGES $MACHINE_PACKAGES
    build bench
    exec "$PYTHON" -B bench/run.py "$@"
    ;;
help | --help | -h) usage ;;
*)
    usage >&2
    exit 64
    ;;
esac
