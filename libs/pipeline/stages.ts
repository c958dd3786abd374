import type { Progress } from '../core/progress.ts';
import type { Reporter } from '../ui/reporter.ts';

/** What the summary says of a stage. */
export interface StageRecord {
  readonly name: string;
  readonly ms: number;
  readonly cached: boolean;
}

/** What a stage gives: its value, and whether that was there already. */
export interface Outcome<T> {
  readonly value: T;
  readonly cached: boolean;
}

/** Runs named stages, measures them, and shows them. Stages may overlap; the records are in order of their beginning. */
export interface Stages {
  run<T>(name: string, work: (progress: Progress) => Promise<Outcome<T>>): Promise<T>;
  records(): StageRecord[];
  /** Resolves when no stage runs any more, however they ended. */
  settled(): Promise<void>;
}

/** Stages shown by that reporter; `failed` hears of the first that fails, and of those that it makes fail. */
export function stages(reporter: Reporter, failed: (error: unknown) => void): Stages {
  const records: { name: string; ms: number; cached: boolean }[] = [];
  const running: Promise<unknown>[] = [];
  const run = async <T>(name: string, work: (progress: Progress) => Promise<Outcome<T>>): Promise<T> => {
    const record = { name, ms: 0, cached: false };
    records.push(record);
    const shown = reporter.begin(name);
    const start = performance.now();
    const elapsed = (): number => Math.round(performance.now() - start);
    try {
      const { value, cached } = await work(shown);
      Object.assign(record, { ms: elapsed(), cached });
      shown.end({ ms: record.ms, cached, failed: false });
      return value;
    } catch (error) {
      shown.end({ ms: elapsed(), cached: false, failed: true });
      failed(error);
      throw error;
    }
  };
  return {
    run(name, work) {
      const promise = run(name, work);
      // A stage that runs ahead may fail before anyone waits for it; whoever does gets the error.
      promise.catch(() => undefined);
      running.push(promise);
      return promise;
    },
    settled: async () => {
      await Promise.allSettled(running);
    },
    records: () => records.map((record) => ({ ...record })),
  };
}
