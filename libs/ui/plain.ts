import * as printable from './printable.ts';
import { duration, megabytes, type Reporter } from './reporter.ts';

/** One line when a stage begins to do something and one when it ends: for logs and pipes. */
export function plain(write: (line: string) => void): Reporter {
  return {
    begin(stage) {
      let said = '';
      let total = 0;
      return {
        status(text) {
          if (text === said) return;
          said = text;
          write(`${stage}: ${printable.line(text)}`);
        },
        bytes(_done, all) {
          total = all;
        },
        log: () => undefined,
        end({ ms, cached, failed }) {
          if (failed) write(`${stage}: FAILED after ${duration(ms)}`);
          else if (cached) write(`${stage}: nothing to do`);
          else write(`${stage}: done in ${duration(ms)}${total > 0 ? `, ${megabytes(total)}` : ''}`);
        },
      };
    },
    close: () => undefined,
  };
}
