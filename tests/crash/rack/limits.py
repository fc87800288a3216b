"""What the kernel lets a server have, and what it has: descriptors, memory and processor time of all its
processes."""
import os
import pathlib
import resource


def processes(pid):
    """The process and all that it started."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue
        for child in children:
            found += processes(int(child))
    return found


def limit(pid, what, value):
    """For all its processes, and those they will start."""
    for one in processes(pid):
        _, hard = resource.prlimit(one, what)
        resource.prlimit(one, what, (value, hard))


def descriptors(pid):
    return sum(len(os.listdir(f"/proc/{one}/fd")) for one in processes(pid))


def memory(pid):
    """KiB of memory that is the processes' own (private pages; shared ones in parts)."""
    total = 0
    for one in processes(pid):
        for line in pathlib.Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def processor_time(pid):
    """Seconds that all its processes have used."""
    ticks = 0
    for one in processes(pid):
        fields = pathlib.Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def address_space(pid):
    """Octets of the largest of its processes."""
    return max(int(pathlib.Path(f"/proc/{one}/statm").read_text().split()[0]) * 4096 for one in processes(pid))
