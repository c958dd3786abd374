import { posix } from 'node:path';
import type { Reason } from '../core/closure.ts';
import { ForgeError } from '../core/errors.ts';
import * as abis from './abi.ts';
import type { Dlopen, Elf } from './elf.ts';
import type { Found } from './lookup.ts';
import * as search from './search.ts';
import { type Loaded, unmet } from './versions.ts';

/** What loading needs to know of a root: nothing here reads a file itself. */
export interface World {
  readonly abi: abis.Abi;
  readonly places: search.Places;
  /** The lowest priority of `.note.dlopen` that is followed. */
  readonly dlopen: Dlopen['priority'];
  lookup(path: string): Found | undefined;
  /** The file that was found, parsed. Throws `ELF_INVALID` and the like, naming it. */
  elf(found: Found): Elf;
  /** Told of every file that is used, each time that one asks for it. */
  used(found: Found, reason: Reason): void;
}

interface Missing {
  readonly name: string;
  readonly by: string;
  readonly via: string;
  readonly searched: readonly string[];
}

const priorities: readonly Dlopen['priority'][] = ['required', 'recommended', 'suggested'];

/**
 * Loads one program or library as glibc's ld.so would: its interpreter, then breadth first what it needs, a name that
 * is loaded already being that object, then what the `.note.dlopen` of all of them name.
 * Throws `LIBRARY_MISSING` (all that are missing, who asked, where was searched), `INTERPRETER_MISSING`,
 * `SYMBOL_VERSION_MISSING`.
 */
export function load(world: World, found: Found, elf: Elf): void {
  const objects: Loaded[] = [{ found, elf, names: new Set(), origin: posix.dirname(found.path), loader: undefined }];
  if (elf.interpreter !== undefined) {
    objects.push(interpreter(world, found, elf.interpreter));
  }
  const missing: Missing[] = [];
  const request = (loader: Loaded, name: string, via: string): Missing | undefined => {
    const known = objects.find((object) => object.names.has(name) || object.elf.soname === name);
    if (known !== undefined) {
      world.used(known.found, { by: loader.found.path, via });
      return undefined;
    }
    const { object, searched } = find(world, loader, name);
    if (object === undefined) {
      return { name, by: loader.found.path, via, searched };
    }
    world.used(object.found, { by: loader.found.path, via });
    const same = objects.find((other) => other.found.path === object.found.path);
    (same ?? object).names.add(name);
    if (same === undefined) {
      objects.push(object);
    }
    return undefined;
  };

  let noted = 0;
  for (let next = 0; next < objects.length || noted < objects.length; ) {
    const object = objects[next];
    if (object !== undefined) {
      next += 1;
      missing.push(...needs(object, request));
    } else {
      // dlopen happens in a running program, when all that it needs is loaded.
      missing.push(...notes(world, objects[noted], request));
      noted += 1;
    }
  }
  refuse(missing);
  const [first] = unmet(objects);
  if (first !== undefined) {
    throw new ForgeError('SYMBOL_VERSION_MISSING', `${first.by} needs version ${first.version} of ${first.library}`, {
      expected: first.version,
      found: `${first.path} with ${first.offered.join(', ')}`,
      hint: 'the library is older than the one that it was linked with, or another one of that name is found first',
    });
  }
}

type Request = (loader: Loaded, name: string, via: string) => Missing | undefined;

function needs(object: Loaded, request: Request): Missing[] {
  // An auxiliary library may be missing; ld.so then uses this one's own symbols.
  for (const name of object.elf.auxiliary) {
    request(object, name, `DT_AUXILIARY ${name}`);
  }
  return [
    ...object.elf.filter.map((name) => request(object, name, `DT_FILTER ${name}`)),
    ...object.elf.needed.map((name) => request(object, name, `DT_NEEDED ${name}`)),
  ].filter((result) => result !== undefined);
}

function notes(world: World, object: Loaded | undefined, request: Request): Missing[] {
  const followed = priorities.slice(0, priorities.indexOf(world.dlopen) + 1);
  return (object?.elf.dlopen ?? []).flatMap(({ soname, priority }) => {
    if (object === undefined || !followed.includes(priority)) {
      return [];
    }
    // Several names are alternatives, the best first.
    const failed: Missing[] = [];
    for (const name of soname) {
      const result = request(object, name, `.note.dlopen ${name} (${priority})`);
      if (result === undefined) {
        return [];
      }
      failed.push(result);
    }
    return priority === 'required' ? failed.slice(0, 1) : [];
  });
}

function find(world: World, loader: Loaded, name: string): { object?: Loaded; searched: readonly string[] } {
  const requester = requesterOf(loader);
  const expanded = search.expand(name, requester.origin, world.abi);
  // A name with a slash is a path; a relative one depends on the working directory, so nothing is found by it.
  const directories = expanded.includes('/')
    ? [posix.dirname(expanded)].filter((path) => path.startsWith('/'))
    : search.directories(requester, world.places, world.abi);
  for (const directory of directories) {
    const path = posix.join(directory, posix.basename(expanded));
    const found = world.lookup(path);
    if (found === undefined) {
      continue;
    }
    const elf = world.elf(found);
    if (!abis.matches(world.abi, elf)) {
      continue; // As ld.so does, so that 32- and 64-bit libraries can lie on one search path.
    }
    if (elf.type !== 'shared') {
      throw new ForgeError('ELF_INVALID', `${found.path}: not a shared library, but ${loader.found.path} needs it`);
    }
    return { object: { found, elf, names: new Set(), origin: posix.dirname(path), loader }, searched: directories };
  }
  return { searched: directories };
}

/** The object as the search sees it, up to the program. The chain has no circles: an object is loaded once. */
const requesterOf = ({ elf, origin, loader }: Loaded): search.Requester => ({
  rpath: elf.rpath,
  runpath: elf.runpath,
  origin,
  noDefaultLibraries: elf.flags.noDefaultLibraries,
  loader: loader && requesterOf(loader),
});

function interpreter(world: World, program: Found, path: string): Loaded {
  const found = path.startsWith('/') ? world.lookup(path) : undefined;
  if (found?.type !== 'file') {
    throw new ForgeError('INTERPRETER_MISSING', `the program interpreter of ${program.path} is missing`, {
      found: path,
    });
  }
  const elf = world.elf(found);
  world.used(found, { by: program.path, via: `PT_INTERP ${path}` });
  return { found, elf, names: new Set([path]), origin: posix.dirname(path), loader: undefined };
}

function refuse(missing: readonly Missing[]): void {
  const [first, ...rest] = missing;
  if (first === undefined) {
    return;
  }
  const others = [...new Set(rest.map(({ name, by }) => `${name} (for ${by})`))].filter(
    (text) => text !== `${first.name} (for ${first.by})`,
  );
  const also = others.length === 0 ? '' : `; also missing: ${others.join(', ')}`;
  throw new ForgeError('LIBRARY_MISSING', `${first.by} needs ${first.name}, which is missing${also}`, {
    expected: `${first.via} in one of: ${first.searched.join(' ')}`,
    found: 'no such library for this platform',
    hint: 'add the Debian package that has it to the root',
  });
}
