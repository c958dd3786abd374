import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as closure from '../../libs/collect/closure.ts';
import * as elf from '../../libs/collect/elf.ts';
import * as hardening from '../../libs/collect/hardening.ts';
import type { Closure } from '../../libs/core/closure.ts';
import * as platforms from '../../libs/core/platform.ts';
import * as ldso from '../support/ldso.ts';
import * as readelf from '../support/readelf.ts';
import * as tree from '../support/tree.ts';

/** The token as the loader also takes it, with braces. */
const origin = ['$', '{ORIGIN}'].join('');
const platform = platforms.parse('linux/amd64');
const machine = process.arch === 'x64' && ldso.available('/', platform.loader);
/** A program with many libraries. */
const someProgram = ['/usr/bin/curl', '/usr/bin/git'].find((path) => existsSync(path));
const gcc = machine && spawnSync('gcc', ['--version']).status === 0;

const resolve = (path: string): Closure => closure.resolve({ roots: ['/'], platform, start: [{ path, via: 'test' }] });

const both = (path: string): ReturnType<typeof ldso.compare> => ldso.compare('/', platform, path);

describe.skipIf(!machine)('against the loader of this machine', () => {
  test('40 programs take the same files', () => {
    const programs = readelf.elfFiles('/usr/bin', 5000).filter((path) => elf.read(path).dynamic);
    const step = Math.max(1, Math.floor(programs.length / 40));
    const chosen = programs.filter((_path, index) => index % step === 0).slice(0, 40);
    let compared = 0;
    for (const path of chosen) {
      const found = both(path);
      if (found !== undefined) {
        expect(found.closure, path).toEqual(found.loader);
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(Math.min(30, chosen.length / 2));
  }, 30_000);

  test.skipIf(!ldso.mayChroot || someProgram === undefined)(
    'the closure alone is enough: in a root with nothing else the program runs, and the loader takes the same files',
    () => {
      const program = someProgram ?? '';
      const top = tree.make();
      for (const entry of resolve(program)) {
        mkdirSync(join(top, dirname(entry.path)), { recursive: true });
        if (entry.type === 'symlink') {
          symlinkSync(entry.target, join(top, entry.path));
        } else {
          copyFileSync(entry.source, join(top, entry.path));
        }
      }
      const run = spawnSync('chroot', [top, program, '--version'], { env: { PATH: '/usr/sbin:/usr/bin' } });
      expect(run.stderr.toString()).toBe('');
      expect(run.status).toBe(0);
      const found = ldso.compare(top, platform, program);
      expect(found?.closure).toEqual(found?.loader);
      expect(found?.closure).toEqual(both(program)?.closure);
    },
  );

  test.skipIf(!gcc)('RPATH, RUNPATH, $ORIGIN and sonames of freshly linked files', () => {
    const top = realpathSync(tree.make({ 'a/x': '', 'b/x': '', 'c/x': '' }));
    const compile = (...argv: string[]): void => {
      execFileSync('gcc', ['-x', 'c', '-', '-x', 'none', ...argv], {
        cwd: top,
        input: 'int main(void) { return 0; }\n',
        stdio: 'pipe',
      });
    };
    const shared = ['-shared', '-fPIC', '-Wl,--no-as-needed'];
    compile('-o', 'b/libinner.so.1', ...shared, '-Wl,-soname,libinner.so.1');
    compile('-o', 'c/libinner.so.1', ...shared, '-Wl,-soname,libinner.so.1');
    compile(
      '-o',
      'a/libouter.so.1',
      ...shared,
      '-Wl,-soname,libouter.so.1',
      'b/libinner.so.1',
      '-Wl,--enable-new-dtags,-rpath,$ORIGIN/../b',
    );
    compile('-o', 'a/libplain.so.1', ...shared, '-Wl,-soname,libplain.so.1', 'b/libinner.so.1');
    const link = (name: string, library: string, ...options: string[]): void =>
      compile(
        '-o',
        name,
        '-Wl,--no-as-needed',
        library,
        '-Wl,--allow-shlib-undefined',
        '-Wl,-rpath-link,b',
        ...options,
      );
    link('runpath', 'a/libouter.so.1', '-Wl,--enable-new-dtags,-rpath,$ORIGIN/a');
    link('rpath', 'a/libplain.so.1', `-Wl,--disable-new-dtags,-rpath,${origin}/a:${origin}/c`);
    link('lost', 'a/libplain.so.1', '-Wl,--enable-new-dtags,-rpath,$ORIGIN/a:$ORIGIN/c');
    for (const name of ['runpath', 'rpath']) {
      const found = both(join(top, name));
      expect(found?.closure, name).toEqual(found?.loader);
      expect(found?.closure).toContain(join(top, name === 'runpath' ? 'b' : 'c', 'libinner.so.1'));
    }
    expect(() => resolve(join(top, 'lost'))).toThrowError(expect.objectContaining({ code: 'LIBRARY_MISSING' }));
    expect(ldso.list('/', platform.loader, join(top, 'lost'))).toBeUndefined();
  });

  test.skipIf(!gcc)('what the compiler’s options do to the hardening', () => {
    const top = tree.make();
    const judge = (name: string, ...options: string[]): hardening.Hardening => {
      const source =
        '#include <stdio.h>\n#include <string.h>\nint main(int c, char **v) { char b[9]; strcpy(b, v[c - 1]); return puts(b); }\n';
      execFileSync('gcc', ['-w', '-x', 'c', '-', '-o', join(top, name), ...options], { input: source, stdio: 'pipe' });
      const path = join(top, name);
      return hardening.of(elf.read(path), elf.withFile(path, elf.imports));
    };
    const strong = ['-O2', '-fPIE', '-pie', '-fstack-protector-strong', '-D_FORTIFY_SOURCE=2', '-fno-builtin-puts'];
    const weak = [
      '-no-pie',
      '-fno-pie',
      '-fno-stack-protector',
      '-U_FORTIFY_SOURCE',
      '-z',
      'norelro',
      '-z',
      'execstack',
    ];
    expect(judge('strong', ...strong, '-Wl,-z,relro,-z,now')).toMatchObject({
      ...{ pie: true, relro: 'full', nx: true, canary: true, fortify: true },
    });
    expect(judge('lazy', ...strong, '-Wl,-z,relro,-z,lazy').relro).toBe('partial');
    expect(judge('weak', ...weak)).toMatchObject({
      pie: false,
      relro: 'none',
      nx: false,
      canary: false,
      fortify: false,
    });
    expect(judge('cet', '-fcf-protection=full', '-Wl,-z,ibt,-z,shstk').cet).toEqual({ ibt: true, shstk: true });
  });

  test.skipIf(!gcc)('a stripped file, one without a section table, and the debug file taken from it', () => {
    const top = tree.make();
    const path = join(top, 'a');
    execFileSync('gcc', ['-g', '-x', 'c', '-', '-o', path], { input: 'int main(void) { return 0; }\n', stdio: 'pipe' });
    const whole = elf.read(path);
    expect(whole).toMatchObject({ hasSymbolTable: true, hasDebug: true });
    execFileSync('strip', ['-o', `${path}.stripped`, path]);
    expect(elf.read(`${path}.stripped`)).toEqual({ ...whole, hasSymbolTable: false, hasDebug: false });
    execFileSync('objcopy', ['--only-keep-debug', path, `${path}.debug`]);
    expect(elf.read(`${path}.debug`)).toMatchObject({ buildId: whole.buildId, dynamic: false, hasDebug: true });
  });
});
