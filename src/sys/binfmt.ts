import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "#errors/errors.ts";

/** Where the kernel lists the interpreters of foreign programs. https://docs.kernel.org/admin-guide/binfmt-misc.html */
const REGISTRY = "/proc/sys/fs/binfmt_misc";

/** e_machine, word size and byte order of Go's architectures. https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html */
const MACHINES: Readonly<Record<string, readonly [machine: number, bits: 32 | 64, order: "little" | "big"]>> = {
  "386": [3, 32, "little"],
  amd64: [62, 64, "little"],
  arm: [40, 32, "little"],
  arm64: [183, 64, "little"],
  loong64: [258, 64, "little"],
  mips64: [8, 64, "big"],
  mips64le: [8, 64, "little"],
  mips: [8, 32, "big"],
  mipsle: [8, 32, "little"],
  ppc64le: [21, 64, "little"],
  riscv64: [243, 64, "little"],
  s390x: [22, 64, "big"],
};

/** Whether the kernel hands programs of that architecture to an interpreter, as QEMU registers them; also inside containers. */
export function hasEmulator(architecture: string, registry: string = REGISTRY): boolean {
  const header = elfHeader(architecture);
  if (!header || !isEnabled(registry)) return false;
  return entriesOf(registry).some((name) => {
    const entry = parseEntry(readEntry(join(registry, name)));
    return entry !== undefined && matches(header, entry);
  });
}

function isEnabled(registry: string): boolean {
  return readEntry(join(registry, "status")).trim() === "enabled";
}

function entriesOf(registry: string): string[] {
  return readdirSync(registry).filter((name) => name !== "register" && name !== "status");
}

function readEntry(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    // Not mounted, or the entry has just gone.
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}

interface Entry {
  readonly offset: number;
  readonly magic: Buffer;
  readonly mask: Buffer | undefined;
}

/** The first lines of a program: `enabled`, `interpreter …`, `flags: F`, `offset 0`, `magic 7f45…`, `mask ffff…`. */
function parseEntry(text: string): Entry | undefined {
  const lines = text.split("\n");
  const fieldOf = (name: string): string | undefined =>
    lines
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1)
      .trim();
  const magic = fieldOf("magic");
  const flags = lines.find((line) => line.startsWith("flags:")) ?? "";
  // Without F the interpreter is looked for in the container, which has none.
  if (lines[0] !== "enabled" || magic === undefined || !flags.includes("F")) return undefined;
  const mask = fieldOf("mask");
  return {
    offset: Number(fieldOf("offset") ?? 0),
    magic: Buffer.from(magic, "hex"),
    mask: mask === undefined ? undefined : Buffer.from(mask, "hex"),
  };
}

function matches(header: Buffer, { offset, magic, mask }: Entry): boolean {
  if (offset + magic.length > header.length) return false;
  return magic.every((byte, index) => ((header[offset + index] ?? 0) & (mask?.[index] ?? 0xff)) === byte);
}

/** How an executable of that architecture begins. */
function elfHeader(architecture: string): Buffer | undefined {
  const [machine, bits, order] = MACHINES[architecture] ?? [];
  if (machine === undefined) return undefined;
  const header = Buffer.alloc(64);
  header.write("\x7fELF", 0, "latin1");
  header[4] = bits === 64 ? 2 : 1;
  header[5] = order === "little" ? 1 : 2;
  header[6] = 1;
  const [executable, version] = [2, 1];
  if (order === "little") {
    header.writeUInt16LE(executable, 16);
    header.writeUInt16LE(machine, 18);
    header.writeUInt32LE(version, 20);
  } else {
    header.writeUInt16BE(executable, 16);
    header.writeUInt16BE(machine, 18);
    header.writeUInt32BE(version, 20);
  }
  return header;
}
