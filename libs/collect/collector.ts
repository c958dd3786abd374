import type { Closure, ClosureFile, ClosureLink, Reason } from '../core/closure.ts';
import type { Found } from './lookup.ts';

/** Gathers files and links; each once, with every reason once, in the order in which they were found. */
export interface Collector {
  /** A file, and the links that led to it. */
  add(found: Found, reason: Reason): void;
  /** A link by itself. */
  link(path: string, target: string, reason: Reason): void;
  closure(): Closure;
}

type Item = Omit<ClosureFile, 'reasons'> | Omit<ClosureLink, 'reasons'>;

/** An empty collector. */
export function collector(): Collector {
  const items = new Map<string, { item: Item; reasons: Map<string, Reason> }>();
  const put = (item: Item, reason: Reason): void => {
    const known = items.get(item.path) ?? { item, reasons: new Map<string, Reason>() };
    const key = `${reason.by ?? ''}\0${reason.via}`;
    if (!known.reasons.has(key)) {
      known.reasons.set(key, reason);
    }
    items.set(item.path, known);
  };
  const link: Collector['link'] = (path, target, reason) => put({ type: 'symlink', path, target }, reason);
  return {
    link,
    /*
     * asker ── DT_NEEDED libz.so.1 ─► link libz.so.1 ── symlink ─► libz.so.1.3.1
     *   └───── DT_NEEDED libz.so.1 ─► link /lib
     * A link that stood for the file hands the chain on; a directory on the way to it is only asked for.
     */
    add: (found, reason) => {
      let current = reason;
      for (const { path, target, last } of found.links) {
        link(path, target, current);
        current = last ? { by: path, via: 'symlink' } : current;
      }
      if (found.type === 'file') {
        put({ type: 'file', path: found.path, source: found.source }, current);
      }
    },
    closure: () =>
      [...items.values()]
        .map(({ item, reasons }) => ({ ...item, reasons: [...reasons.values()] }))
        .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))),
  };
}
