import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import type { Closure, Reason } from '../core/closure.ts';
import { ForgeError } from '../core/errors.ts';
import type { Platform } from '../core/platform.ts';
import * as abis from './abi.ts';
import { type Collector, collector } from './collector.ts';
import * as elfs from './elf.ts';
import * as ldconf from './ldconf.ts';
import { load, type World } from './loader.ts';
import type { Found } from './lookup.ts';
import * as rootsView from './roots.ts';
import * as script from './script.ts';

/** A file or directory that must be there, and why, in the recipe's words. */
export interface Start {
  /** Absolute in the root. A directory stands for all that is in it. */
  readonly path: string;
  readonly via: string;
  /** The file that asks, where the recipe itself does not (a plugin of the C library, a Lua module). */
  readonly by?: string;
}

export interface Request {
  /** Host directories seen as one root; where two have the same path, the first wins. */
  readonly roots: readonly string[];
  readonly platform: Platform;
  readonly start: readonly Start[];
  /** The directories of an `LD_LIBRARY_PATH` that the image will set; by default none. */
  readonly search?: readonly string[];
  /** What the loader was built with; by default as Debian builds glibc for the platform. */
  readonly abi?: abis.Abi;
  /** The lowest priority of `.note.dlopen` that is followed; by default `recommended`. */
  readonly dlopen?: elfs.Dlopen['priority'];
}

interface State {
  readonly world: World;
  readonly roots: rootsView.Roots;
  readonly collected: Collector;
  /** What was taken already, by path, and once more if it was only come upon in a directory. */
  readonly seen: Set<string>;
}

/**
 * Exactly the files that the starts need at run time, and the symbolic links by which they are found. Each ELF file
 * among the starts is loaded as glibc's ld.so would inside the root; a library among them as by a `dlopen` of its
 * path. A `#!` script that is executable brings its interpreter. A recommended dlopen dependency that is not there is
 * passed over, a required one is an error.
 * Throws `START_MISSING`, `LIBRARY_MISSING`, `INTERPRETER_MISSING`, `SYMBOL_VERSION_MISSING`, `ELF_FOREIGN`,
 * `ELF_INVALID`, `ELF_TRUNCATED`, `FILE_UNSUPPORTED`, `SYMLINK_LOOP` and what opening the roots throws.
 */
export function resolve(request: Request): Closure {
  const roots = rootsView.open(request.roots);
  const abi = request.abi ?? abis.of(request.platform);
  const collected = collector();
  const parsed = new Map<string, elfs.Elf>();
  const world: World = {
    abi,
    places: { environment: request.search ?? [], configured: ldconf.directories(roots, abi.configuration) },
    dlopen: request.dlopen ?? 'recommended',
    lookup: roots.lookup,
    elf: (found) => {
      const elf = parsed.get(found.path) ?? parse(found);
      parsed.set(found.path, elf);
      return elf;
    },
    used: collected.add,
  };
  const state: State = { world, roots, collected, seen: new Set() };
  for (const { path, via, by } of request.start) {
    const found = roots.lookup(path);
    if (found === undefined) {
      throw new ForgeError('START_MISSING', `${path} (${via}) is not in the root`, {
        expected: path,
        found: `nothing in ${roots.directories.join(', ')}`,
      });
    }
    take(state, found, by === undefined ? { via } : { by, via }, true);
  }
  return collected.closure();
}

/** Takes one start. `explicit` is false for what was only found in a directory: it may be anything. */
function take(state: State, found: Found, reason: Reason, explicit: boolean): void {
  if (found.type === 'other') {
    throw new ForgeError('FILE_UNSUPPORTED', `${found.path} (${reason.via}) is a device, a socket or a pipe`);
  }
  state.collected.add(found, reason);
  const key = `${explicit} ${found.path}`;
  if (state.seen.has(key)) {
    return;
  }
  state.seen.add(key);
  if (found.type === 'directory') {
    takeAll(state, found.path, reason);
    return;
  }
  const start = head(found.source);
  if (elfs.isElf(start)) {
    takeElf(state, found, explicit);
  } else {
    takeScript(state, found, start);
  }
}

function takeAll(state: State, directory: string, reason: Reason): void {
  for (const name of state.roots.list(directory)) {
    const path = posix.join(directory, name);
    const found = state.roots.lookup(path);
    const node = state.roots.entry(path);
    if (found !== undefined) {
      take(state, found, reason, false);
    } else if (node?.type === 'symlink') {
      // It leads nowhere here; what it will lead to in the image is not ours to say.
      state.collected.link(path, node.target, reason);
    }
  }
}

function takeElf(state: State, found: Found, explicit: boolean): void {
  const elf = state.world.elf(found);
  if (elf.type !== 'executable' && elf.type !== 'shared') {
    return;
  }
  if (abis.matches(state.world.abi, elf)) {
    load(state.world, found, elf);
  } else if (explicit) {
    const { machine, bits } = state.world.abi;
    throw new ForgeError('ELF_FOREIGN', `${found.path} is for another platform`, {
      expected: `e_machine ${machine}, ${bits}-bit`,
      found: `e_machine ${elf.machine}, ${elf.bits}-bit, ${elf.littleEndian ? 'little' : 'big'}-endian`,
    });
  }
}

function takeScript(state: State, found: Found, start: Uint8Array): void {
  const line = script.parse(start);
  // Without an executable bit the kernel never looks at the line: it is a module of that interpreter, or a sample.
  if (line === undefined || (statSync(found.source).mode & 0o111) === 0) {
    return;
  }
  for (const { candidates, via } of script.needs(line)) {
    const program = candidates.map((path) => state.roots.lookup(path)).find((match) => match?.type === 'file');
    if (program === undefined) {
      throw new ForgeError('INTERPRETER_MISSING', `the interpreter of ${found.path} is missing`, {
        expected: candidates.join(' or '),
        found: via,
      });
    }
    take(state, program, { by: found.path, via }, true);
  }
}

function parse(found: Found): elfs.Elf {
  if (found.type !== 'file') {
    throw new ForgeError('ELF_INVALID', `${found.path}: not a file, but a library is expected there`);
  }
  return elfs.read(found.source, found.path);
}

/** The first bytes of a file, as many as the kernel looks at. */
function head(path: string): Uint8Array {
  const bytes = Buffer.alloc(script.LENGTH);
  const fd = openSync(path, 'r');
  try {
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(fd);
  }
}
