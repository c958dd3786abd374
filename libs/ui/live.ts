import { createLogUpdate } from 'log-update';
import * as printable from './printable.ts';
import { duration, megabytes, type Reporter } from './reporter.ts';

interface Row {
  readonly stage: string;
  readonly start: number;
  text: string;
  tail: string[];
  end: string | undefined;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Milliseconds between two pictures. */
const INTERVAL = 100;
/** How many of a command's last lines are shown. */
const TAIL = 3;

/** A live picture for a terminal: a line per stage, with bytes, time and the last lines of what runs. */
export function live(stream: NodeJS.WriteStream): Reporter {
  const draw = createLogUpdate(stream);
  const rows: Row[] = [];
  let frame = 0;
  const paint = (): void => {
    const width = (stream.columns ?? 80) - 1;
    const lines = rows.flatMap((row) => {
      const name = row.stage.padEnd(10);
      if (row.end !== undefined) return [`${row.end.startsWith('failed') ? '✖' : '✔'} ${name} ${row.end}`];
      const elapsed = duration(performance.now() - row.start);
      return [
        `${FRAMES[frame % FRAMES.length]} ${name} ${elapsed}  ${row.text}`,
        ...row.tail.map((line) => `    ${line}`),
      ];
    });
    draw(lines.map((line) => printable.line(line).slice(0, width)).join('\n'));
    frame++;
  };
  const timer = setInterval(paint, INTERVAL);
  timer.unref();
  return {
    begin(stage) {
      const row: Row = { stage, start: performance.now(), text: '', tail: [], end: undefined };
      rows.push(row);
      return {
        status(text) {
          row.text = text;
        },
        bytes(done, total) {
          row.text = `${megabytes(done)} of ${megabytes(total)}`;
        },
        log(line) {
          row.tail = [...row.tail, line].slice(-TAIL);
        },
        end({ ms, cached, failed }) {
          row.end = failed ? `failed after ${duration(ms)}` : cached ? 'nothing to do' : duration(ms);
        },
      };
    },
    close() {
      clearInterval(timer);
      paint();
      draw.done();
    },
  };
}
