import { call, callError, cPath, tryCall } from "../libc.ts";

/** mount(2)'s flags by the words of mount(8), and those that take one away: https://github.com/moby/sys/blob/main/mount/flags_unix.go */
const FLAGS: ReadonlyMap<string, readonly [flag: number, clear?: true]> = new Map(
  Object.entries<readonly [flag: number, clear?: true]>({
    defaults: [0],
    async: [0x10, true],
    atime: [0x400, true],
    bind: [0x1000],
    dev: [0x4, true],
    diratime: [0x800, true],
    dirsync: [0x80],
    exec: [0x8, true],
    mand: [0x40],
    noatime: [0x400],
    nodev: [0x4],
    nodiratime: [0x800],
    noexec: [0x8],
    nomand: [0x40, true],
    norelatime: [0x20_0000, true],
    nostrictatime: [0x100_0000, true],
    nosuid: [0x2],
    rbind: [0x5000],
    relatime: [0x20_0000],
    remount: [0x20],
    ro: [0x1],
    rw: [0x1, true],
    strictatime: [0x100_0000],
    suid: [0x2, true],
    sync: [0x10],
  }),
);

const PROPAGATION: ReadonlyMap<string, number> = new Map(
  Object.entries({
    private: 0x4_0000,
    rprivate: 0x4_4000,
    shared: 0x10_0000,
    rshared: 0x10_4000,
    slave: 0x8_0000,
    rslave: 0x8_4000,
    unbindable: 0x2_0000,
    runbindable: 0x2_4000,
  }),
);

const MS_BIND = 0x1000;
const MS_RDONLY = 0x1;
const MS_REMOUNT = 0x20;
const MNT_DETACH = 0x2;

export interface MountByOptions {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  /** As behind `mount -o`: "ro,size=1m,uid=5". Words that mount(2) has no flag for go to the file system. */
  readonly options: string;
}

/**
 * Mounts as mount(8) would from its words: what a user says about a volume goes to the kernel as it is. The one call that all kinds of file
 * systems take (nfs has no other). Throws SystemCallError whose message ends in the kernel's own word; then nothing is mounted.
 */
export function mountByOptions({ source, target, type, options }: MountByOptions): void {
  const { flags, propagation, data } = readOptions(options);
  call("mount", `${source}:${target}`, cPath(source), cPath(target), cPath(type), BigInt(flags), cPath(data));
  try {
    // A bind takes its flags only when it is mounted anew, and propagation is a call of its own.
    if ((flags & (MS_BIND | MS_RDONLY)) === (MS_BIND | MS_RDONLY)) again(target, flags | MS_REMOUNT);
    for (const kind of propagation) again(target, kind);
  } catch (error) {
    tryCall("umount2", cPath(target), MNT_DETACH);
    throw error;
  }
}

function again(target: string, flags: number): void {
  const result = tryCall("mount", cPath(""), cPath(target), cPath(""), BigInt(flags), cPath(""));
  if (result < 0) throw callError("mount", result, target);
}

function readOptions(options: string): {
  readonly flags: number;
  readonly propagation: readonly number[];
  readonly data: string;
} {
  let flags = 0;
  const propagation: number[] = [];
  const data: string[] = [];
  for (const word of options.split(",").filter((text) => text !== "")) {
    const flag = FLAGS.get(word);
    const kind = PROPAGATION.get(word);
    if (kind !== undefined) propagation.push(kind);
    else if (flag === undefined) data.push(word);
    else flags = flag[1] ? flags & ~flag[0] : flags | flag[0];
  }
  return { flags, propagation, data: data.join(",") };
}
