/** A file of the Container Device Interface. https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md */
export interface CdiSpec {
  readonly cdiVersion: string;
  /** `vendor.com/class`. */
  readonly kind: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly devices: readonly CdiDevice[];
  /** For each container that gets one of the devices. */
  readonly containerEdits?: CdiEdits;
}

export interface CdiDevice {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly containerEdits: CdiEdits;
}

/** What becomes of the OCI runtime's configuration. */
export interface CdiEdits {
  /** `NAME=value`. */
  readonly env?: readonly string[];
  readonly deviceNodes?: readonly CdiDeviceNode[];
  readonly hooks?: readonly CdiHook[];
  readonly mounts?: readonly CdiMount[];
  readonly additionalGids?: readonly number[];
  /** Since 0.7.0; what is in it nobody reads here. */
  readonly intelRdt?: unknown;
  /** Since 1.1.0; what is in it nobody reads here. */
  readonly netDevices?: readonly unknown[];
}

export interface CdiDeviceNode {
  /** In the container. */
  readonly path: string;
  /** Absent or "": the same. */
  readonly hostPath?: string;
  /** "b", "c", "u", "p"; absent or "": the host device's. */
  readonly type?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  /** Of "rwm", or "none"; absent or "": all. */
  readonly permissions?: string;
  readonly uid?: number;
  readonly gid?: number;
}

export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly type?: string;
  readonly options?: readonly string[];
}

export interface CdiHook {
  readonly hookName: string;
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}
