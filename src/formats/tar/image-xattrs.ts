/** Whether an extended attribute belongs to the file: not overlayfs's notes, not the host's labels, not ACLs (as Docker). */
export function isImageXattr(name: string): boolean {
  return !name.startsWith("trusted.overlay.") && !name.startsWith("system.") && name !== "security.selinux";
}
