/** Flags of open(2) that Node has no names for, as on all architectures that Berth runs on. https://man7.org/linux/man-pages/man2/open.2.html */

/** A place in the tree, without reading or writing what is there. */
export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;
