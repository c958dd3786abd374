/** What a stage tells while it works. All of it is optional to show; none of it changes what is done. */
export interface Progress {
  /** A line of text: what is being done just now. */
  status(text: string): void;
  /** `bytes` more of an expected total have passed. */
  bytes(done: number, total: number): void;
  /** A line that a command printed. */
  log(line: string): void;
}

/** For callers that show nothing. */
export const silent: Progress = { status: () => undefined, bytes: () => undefined, log: () => undefined };
