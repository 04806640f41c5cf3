/** What `berth cp` was asked for. */
export interface CopyOptions {
  readonly source: string;
  readonly destination: string;
  readonly followLink: boolean;
  /** `-a`: what is copied in becomes the container's user's. */
  readonly copyOwner: boolean;
  readonly quiet: boolean;
}
