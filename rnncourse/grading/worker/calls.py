"""Linux's system calls that a learner's code may not make, and those it may make in part.

Calls are forbidden that reach other processes, programs or the network, that take memory without a
limit, that two sandboxes could tell each other something with (locks and leases on files that both
see, watches on them, what of them lies in memory, futexes, counters of the whole machine), and
those that a learner's function has no use for.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""The kernel's own numbers for them (AUDIT_ARCH)."""

NEWEST = 462
"""The last call that was known when this was written. Later ones have the same number on every
architecture, and are answered as a kernel does that lacks them."""

NUMBERS: dict[str, tuple[int | None, int | None]] = {
    # Allowed or not by their arguments; first, as these are made most often
    "futex": (202, 98),
    "mmap": (9, 222),
    "madvise": (28, 233),
    "ioctl": (16, 29),
    "fcntl": (72, 25),
    "getsockopt": (55, 209),
    "prctl": (157, 167),
    "preadv2": (327, 286),
    "pwritev2": (328, 287),
    # Other processes and programs
    "clone": (56, 220),
    "clone3": (435, 435),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "kcmp": (312, 272),
    "kill": (62, 129),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "prlimit64": (302, 261),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    # Groups of processes, and their share of the machine
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "personality": (135, 92),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "setpgid": (109, 154),
    "setpriority": (141, 140),
    "setsid": (112, 157),
    # The network
    "accept": (43, 202),
    "accept4": (288, 242),
    "bind": (49, 200),
    "connect": (42, 203),
    "listen": (50, 201),
    "socket": (41, 198),
    "socketpair": (53, 199),
    # Memory that is shared or not counted
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mq_getsetattr": (245, 185),
    "mq_notify": (244, 184),
    "mq_open": (240, 180),
    "mq_timedreceive": (243, 183),
    "mq_timedsend": (242, 182),
    "mq_unlink": (241, 181),
    "msgctl": (71, 187),
    "msgget": (68, 186),
    "msgrcv": (70, 188),
    "msgsnd": (69, 189),
    "semctl": (66, 191),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmdt": (67, 197),
    "shmget": (29, 194),
    "userfaultfd": (323, 282),
    # Namespaces, mounts and files by handle
    "chroot": (161, 51),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "listmount": (458, 458),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "pivot_root": (155, 41),
    "setns": (308, 268),
    "statmount": (457, 457),
    "umount2": (166, 39),
    "unshare": (272, 97),
    # Keys
    "add_key": (248, 217),
    "keyctl": (250, 219),
    "request_key": (249, 218),
    # Large parts of the kernel that nothing here needs
    "bpf": (321, 280),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "io_setup": (206, 0),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "perf_event_open": (298, 241),
    # The machine itself
    "acct": (163, 89),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "init_module": (175, 105),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "lookup_dcookie": (212, 18),
    "lsm_get_self_attr": (459, 459),
    "lsm_list_modules": (461, 461),
    "lsm_set_self_attr": (460, 460),
    "modify_ldt": (154, None),
    "nfsservctl": (180, 42),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "sync": (162, 81),
    "syncfs": (306, 267),
    "syslog": (103, 116),
    "uselib": (134, None),
    "vhangup": (153, 58),
    # Marks on files, and on devices, that other sandboxes see too
    "flock": (73, 32),
    "inotify_add_watch": (254, 27),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "inotify_rm_watch": (255, 28),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "lchown": (94, None),
    "fremovexattr": (199, 16),
    "fsetxattr": (190, 7),
    "lremovexattr": (198, 15),
    "lsetxattr": (189, 6),
    "removexattr": (197, 14),
    "setxattr": (188, 5),
    "futimesat": (261, None),
    "utime": (132, None),
    "utimensat": (280, 88),
    "utimes": (235, None),
    # What of shared files lies in memory, and where
    "cachestat": (451, 451),
    "fadvise64": (221, 223),
    "get_mempolicy": (239, 236),
    "mbind": (237, 235),
    "mincore": (27, 232),
    "openat2": (437, 437),  # it can tell whether a name has been looked up before
    "readahead": (187, 213),
    "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": (450, 450),
    # Counters of the whole machine, and of all processes of its user: the numbers of pipes and
    # sockets, how many descriptors are on their way, how many threads there are
    "pipe": (22, None),
    "pipe2": (293, 59),
    "sendmmsg": (307, 269),
    "sendmsg": (46, 211),
    "setsockopt": (54, 208),
    "splice": (275, 76),
    "sysinfo": (99, 179),
    "tee": (276, 77),
    "ustat": (136, None),
    "vmsplice": (278, 75),
    # Futexes in memory that processes share
    "futex_requeue": (456, 456),
    "futex_wait": (455, 455),
    "futex_waitv": (449, 449),
    "futex_wake": (454, 454),
    "get_robust_list": (274, 100),
}
"""Calls that are forbidden, always or with some arguments: x86-64's number and aarch64's."""

ON_ITSELF = ("kill", "tgkill", "tkill")
"""Allowed when the first argument is the caller's process number."""
ON_ITSELF_OR_ZERO = (
    "prlimit64",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
    "sched_setscheduler",
)
"""Zero means the caller too."""
ALLOW, REFUSE, DONE = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000
"""A filter's answers: let it happen, say that a right is missing, say that it is done."""
LOOK_AGAIN = 0x00050000 | errno.EAGAIN


@dataclass(frozen=True)
class ByValue:
    """What to answer depends on an argument.

    Attributes:
        index: of the argument.
        answers: by its value.
        otherwise: to all other values.
    """

    index: int
    answers: Mapping[int, int]
    otherwise: int


@dataclass(frozen=True)
class ByBits:
    """What to answer depends on whether an argument has one of these bits."""

    index: int
    bits: int
    with_them: int
    without: int


def _each(values: Iterable[int], answer: int) -> dict[int, int]:
    return dict.fromkeys(values, answer)


BY_ARGUMENT: dict[str, ByValue | ByBits] = {
    # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC. Among the rest are locks,
    # leases, watches on folders, write hints, signals to others and the size of pipes.
    "fcntl": ByValue(1, _each((0, 1, 2, 3, 4, 1030), ALLOW) | _each((6, 7), DONE), REFUSE),
    # SO_TYPE, SO_ERROR, SO_SNDBUF, SO_RCVBUF, SO_PEERCRED, SO_PROTOCOL, SO_DOMAIN
    "getsockopt": ByValue(2, _each((3, 4, 7, 8, 17, 38, 39), ALLOW), REFUSE),
    # TCGETS and TCGETS2 (is it a terminal?), TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX.
    # Others tell of the host's network, whose socket this one is, and make terminals.
    "ioctl": ByValue(
        1, _each((0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451), ALLOW), REFUSE
    ),
    # MADV_MERGEABLE, MADV_COLD, MADV_PAGEOUT, MADV_COLLAPSE: of memory that others have as well
    "madvise": ByValue(2, _each((12, 20, 21, 25), REFUSE), ALLOW),
    # PR_SET_PDEATHSIG, PR_SET_MM, PR_SCHED_CORE, PR_SET_MEMORY_MERGE, PR_SET_PTRACER
    "prctl": ByValue(0, _each((1, 35, 62, 67, 0x59616D61), REFUSE), ALLOW),
    # Flags ask what lies in memory, or put it out of there.
    "preadv2": ByValue(5, {0: ALLOW}, REFUSE),
    "pwritev2": ByValue(5, {0: ALLOW}, REFUSE),
    "mmap": ByBits(3, 0x40000, REFUSE, ALLOW),  # MAP_HUGETLB: the machine has few
    # FUTEX_PRIVATE_FLAG. Without it whoever maps the same file is meant as well; pthread_join waits
    # so, and looks again when it is told that the value has changed.
    "futex": ByBits(1, 128, ALLOW, LOOK_AGAIN),
}
GRANTED = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2"),
    *("futimesat", "utime", "utimensat", "utimes"),
)
"""Answered as if they had been done, as copying or unpacking a file would fail otherwise. So are
record locks (F_SETLK, F_SETLKW), which sqlite takes: nobody else is there to wait for."""
