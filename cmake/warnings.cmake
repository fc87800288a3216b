# Warnings are errors on both compilers.
add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wnull-dereference
  -Wswitch-enum -Werror)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init -Wtrampolines)
  if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    # Inlining under the sanitizers makes gcc 12 see null paths that are not there.
    add_compile_options(-Wno-null-dereference)
  endif()
elseif(CMAKE_C_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wcomma -Wunreachable-code -Wmissing-variable-declarations -Wassign-enum)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
                      -fcf-protection -fPIE -ftrivial-auto-var-init=zero)
  add_link_options(-pie -Wl,-z,relro,-z,now)
endif()
