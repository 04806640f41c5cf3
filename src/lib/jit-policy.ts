let isNormal = false;

/**
 * The binary starts with a JIT that is ten times as reluctant as usual (tools/build.sh): most commands end before compiled code pays for its
 * compilation and its thread. Call this once there is work that repeats itself; from then on the JIT is as usual.
 * https://bun.com/docs/bundler/executables#jit-policy
 */
export function expectMuchWork(): void {
  if (isNormal) return;
  isNormal = true;
  Bun.unsafe.setJITPolicy(1);
}
