/**
 * Where the profile that Debian ships (Podman's) allows more than Docker's, Berth takes Docker's answer: what both allow stays
 * allowed. Docker's profile: https://github.com/moby/profiles/blob/main/seccomp/default.json
 */
export interface WithheldCalls {
  readonly names: readonly string[];
  /** Capabilities of which one gives the calls back. Empty: never given. */
  readonly unless: readonly string[];
  readonly errno: number;
}

export const EPERM = 1;
const ENOSYS = 38;

export const WITHHELD_CALLS: readonly WithheldCalls[] = [
  {
    names: [
      "fsconfig",
      "fsmount",
      "fsopen",
      "fspick",
      "mount",
      "mount_setattr",
      "move_mount",
      "open_tree",
      "setns",
      "umount",
      "umount2",
      "unshare",
    ],
    unless: ["CAP_SYS_ADMIN"],
    errno: EPERM,
  },
  // clone() without CAP_SYS_ADMIN comes back below with a look at its flags. The flags of clone3() lie in memory, where seccomp
  // cannot look: ENOSYS makes libc fall back to clone().
  { names: ["clone"], unless: ["CAP_SYS_ADMIN"], errno: EPERM },
  { names: ["clone3"], unless: ["CAP_SYS_ADMIN"], errno: ENOSYS },
  { names: ["syslog"], unless: ["CAP_SYS_ADMIN", "CAP_SYSLOG"], errno: EPERM },
  { names: ["get_mempolicy", "mbind", "set_mempolicy"], unless: ["CAP_SYS_NICE"], errno: EPERM },
  { names: ["pidfd_getfd"], unless: ["CAP_SYS_PTRACE"], errno: EPERM },
  { names: ["reboot"], unless: ["CAP_SYS_BOOT"], errno: EPERM },
  { names: ["keyctl", "pivot_root"], unless: [], errno: EPERM },
  // Calls of the oldest ABIs, which Docker's profile does not know.
  {
    names: ["readdir", "sigaction", "signal", "sigpending", "sigsuspend", "syscall", "timerfd"],
    unless: [],
    errno: ENOSYS,
  },
];

/** CLONE_NEW* and CLONE_NEWTIME: the flags of clone() that make namespaces. */
export const NAMESPACE_CLONE_FLAGS = 0x7e020000;

/** Address families: AF_ALG (38) has a long record of kernel bugs, AF_VSOCK (40) knows no network namespaces. */
export const SOCKET_FAMILIES: readonly { readonly op: string; readonly value: number }[] = [
  { op: "SCMP_CMP_LT", value: 38 },
  { op: "SCMP_CMP_EQ", value: 39 },
  { op: "SCMP_CMP_GT", value: 40 },
];
