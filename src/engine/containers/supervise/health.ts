import { InvalidParameterError } from "#errors/errors.ts";
import { LONGEST_TIMER } from "#lib/longest-timer.ts";
import type { ContainerConfig } from "#spec/docker-containers.ts";
import type { HealthConfig } from "#spec/oci-image.ts";

/** What a container's health check has found so far. Immutable. */
export interface ContainerHealth {
  readonly status: "starting" | "healthy" | "unhealthy";
  /** Probes in a row that failed. */
  readonly failingStreak: number;
  /** The last probes, oldest first. */
  readonly log: readonly HealthResult[];
}

export interface HealthResult {
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
  /** 0: healthy; -1: the probe could not be run, or took too long. */
  readonly exitCode: number;
  readonly output: string;
}

/** A container's check with Docker's defaults filled in; times in milliseconds. */
export interface HealthProbe {
  readonly command: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

const KEPT_RESULTS = 5;
/** In a millisecond. */
const NANOSECONDS = 1_000_000;
const DEFAULT_SHELL: readonly string[] = ["/bin/sh", "-c"];

/** What is run to learn a container's health; undefined when it has no check. https://docs.docker.com/reference/dockerfile/#healthcheck */
export function healthProbe({ Healthcheck: check, Shell }: ContainerConfig): HealthProbe | undefined {
  const [kind, ...words] = check?.Test ?? [];
  if (kind !== "CMD" && kind !== "CMD-SHELL") return undefined;
  const shell = Shell && Shell.length > 0 ? Shell : DEFAULT_SHELL;
  const milliseconds = (nanoseconds: number | undefined, fallback: number): number =>
    nanoseconds ? nanoseconds / NANOSECONDS : fallback;
  return {
    command: kind === "CMD" ? words : [...shell, ...words],
    interval: milliseconds(check?.Interval, 30_000),
    timeout: Math.min(milliseconds(check?.Timeout, 30_000), LONGEST_TIMER),
    startPeriod: milliseconds(check?.StartPeriod, 0),
    startInterval: milliseconds(check?.StartInterval, 5_000),
    retries: check?.Retries || 3,
  };
}

/** Throws InvalidParameterError, in Docker's words, for times below a millisecond and negative retries. */
export function checkHealthcheck(check: HealthConfig | undefined): void {
  if (!check) return;
  for (const name of ["Interval", "Timeout", "StartPeriod", "StartInterval"] as const) {
    const value = check[name] ?? 0;
    if (value !== 0 && value < NANOSECONDS)
      throw new InvalidParameterError(`${name} in Healthcheck cannot be less than 1ms`);
  }
  if ((check.Retries ?? 0) < 0) throw new InvalidParameterError("Retries in Healthcheck cannot be negative");
}

/** The user's check over the image's, field by field: `--health-interval` alone keeps the image's command. */
export function mergeHealthcheck(
  own: HealthConfig | undefined,
  image: HealthConfig | undefined,
): HealthConfig | undefined {
  if (!own || !image) return own ?? image;
  return {
    ...image,
    ...Object.fromEntries(Object.entries(own).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value))),
  };
}

/** At a container's start: what earlier runs found is told apart by the status, and stays in the log, as in Docker. */
export function startingHealth(
  config: ContainerConfig,
  before: ContainerHealth | undefined,
): ContainerHealth | undefined {
  return healthProbe(config) && { status: "starting", failingStreak: 0, log: before?.log ?? [] };
}

/** When nobody looks any more (the container ended or is paused), Docker says unhealthy. */
export function unwatchedHealth(health: ContainerHealth | undefined): ContainerHealth | undefined {
  return health && { ...health, status: "unhealthy" };
}

/**
 * What a probe's result makes of the health. Failures count from the end of the start period on, or from the first success.
 * `startedAt` is the container's start in milliseconds since the epoch.
 */
export function healthAfter(
  health: ContainerHealth,
  probe: HealthProbe,
  result: HealthResult,
  startedAt: number,
): ContainerHealth {
  const log = [...health.log, result].slice(-KEPT_RESULTS);
  if (result.exitCode === 0) return { status: "healthy", failingStreak: 0, log };
  const isExcused = health.status === "starting" && result.start - startedAt < probe.startPeriod;
  const failingStreak = health.failingStreak + (isExcused ? 0 : 1);
  const isOver = !isExcused && failingStreak >= probe.retries;
  return { status: isOver ? "unhealthy" : health.status, failingStreak, log };
}

/** Milliseconds until the next probe: more often while a container that has not been healthy yet is in its start period. */
export function nextProbeIn(
  health: ContainerHealth | undefined,
  probe: HealthProbe,
  startedAt: number,
  now: number,
): number {
  const isStarting = now - startedAt < probe.startPeriod && health?.status === "starting";
  return Math.min(isStarting ? probe.startInterval : probe.interval, LONGEST_TIMER);
}
