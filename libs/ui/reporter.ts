import type { Progress } from '../core/progress.ts';

/** How a stage ended. */
export interface StageEnd {
  readonly ms: number;
  /** True where what was there already was taken. */
  readonly cached: boolean;
  readonly failed: boolean;
}

/** Shows the stages of a run to a person. Stages may overlap. */
export interface Reporter {
  /** A stage begins; what it tells goes to the returned object until `end`. */
  begin(stage: string): Progress & { end(result: StageEnd): void };
  /** Leaves the terminal as a shell expects it. */
  close(): void;
}

/** `1.2 s`, `340 ms`, `2 min 05 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** `14.2 MB`: decimal megabytes, as registries and disks count. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
