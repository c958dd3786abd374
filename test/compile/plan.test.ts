import { describe, expect, test } from 'vitest';
import { paths, plan, type Step } from '../../libs/compile/plan.ts';
import { run } from '../../libs/compile/run.ts';
import recipe from '../../nginx-quic/recipe.ts';

const steps = plan(recipe);
const step = (name: string, of: readonly Step[] = steps): Step => {
  const found = of.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};

describe('the plan of a recipe', () => {
  test('is the same each time', () => {
    expect(plan(recipe)).toEqual(steps);
    expect(steps.map(({ name }) => name)).toEqual([
      ...['luajit-make', 'luajit-install'],
      ...['nginx-configure', 'nginx-make', 'nginx-install', 'strip'],
    ]);
  });

  test('names are unique, and what a step needs comes before it', () => {
    const seen = new Set<string>();
    for (const { name, needs } of steps) {
      for (const before of needs) expect(seen, `${name} needs ${before}`).toContain(before);
      expect(seen).not.toContain(name);
      seen.add(name);
    }
  });

  test('has the flags of the recipe, and nothing of the machine', () => {
    const { argv, env, cwd } = step('nginx-configure');
    expect(argv).toEqual(expect.arrayContaining([...recipe.nginx.configure]));
    const option = (name: string): string => argv.find((word) => word.startsWith(`${name}=`)) ?? '';
    for (const flag of [...recipe.cflags, '-fPIE']) expect(option('--with-cc-opt')).toContain(flag);
    for (const flag of [...recipe.ldflags, '-pie']) expect(option('--with-ld-opt')).toContain(flag);
    expect(cwd).toBe(paths.source('nginx'));
    expect(Object.keys(env).sort()).toEqual(
      ['HOME', 'LC_ALL', 'LUAJIT_INC', 'LUAJIT_LIB', 'PATH', 'SOURCE_DATE_EPOCH', 'TZ'].sort(),
    );
    expect(env.SOURCE_DATE_EPOCH).toBe(String(recipe.epoch));
  });

  test('modules are added in the order of the recipe', () => {
    const added = step('nginx-configure').argv.filter((word) => word.startsWith('--add-module='));
    expect(added).toEqual(recipe.nginx.modules.map(({ source }) => `--add-module=${paths.source(source)}`));
  });

  test('without a module that links with LuaJIT there is no LuaJIT, and nginx waits for nothing', () => {
    const without = plan({ ...recipe, nginx: { ...recipe.nginx, modules: [{ source: 'ndk' }] } });
    expect(without.map(({ name }) => name)).not.toContain('luajit-make');
    const { needs, env } = step('nginx-configure', without);
    expect(needs).toEqual([]);
    expect(env).not.toHaveProperty('LUAJIT_LIB');
    expect(step('strip', without).needs).toEqual(['nginx-install']);
  });
});

describe('running a plan', () => {
  const of = (needs: Readonly<Record<string, readonly string[]>>): Step[] =>
    Object.entries(needs).map(([name, before]) => ({ name, needs: before, argv: ['true'], env: {}, cwd: '/' }));
  const never = new AbortController().signal;

  test('each step begins when those that it needs are done, and not later', async () => {
    const events: string[] = [];
    const gates = { a: Promise.withResolvers<void>(), b: Promise.withResolvers<void>() };
    const work = run(
      of({ a: [], b: [], afterA: ['a'], last: ['afterA', 'b'] }),
      async ({ name }) => {
        events.push(`${name} begins`);
        if (name === 'a' || name === 'b') await gates[name].promise;
        if (name === 'afterA') gates.b.resolve();
        events.push(`${name} ends`);
      },
      { jobs: 3, signal: never },
    );
    gates.a.resolve();
    await work;
    expect(events.slice(0, 2)).toEqual(['a begins', 'b begins']);
    expect(events.indexOf('afterA begins')).toBeLessThan(events.indexOf('b ends'));
    expect(events.slice(-2)).toEqual(['last begins', 'last ends']);
  });

  test('how many jobs make runs is told by the environment, and by nothing in the plan', async () => {
    const seen: string[] = [];
    await run(of({ a: [] }), async ({ env }) => void seen.push(env.MAKEFLAGS ?? ''), { jobs: 3, signal: never });
    expect(seen).toEqual(['-j3']);
  });

  test('the first failure stops the others, begins nothing more, and is what is thrown', async () => {
    const begun: string[] = [];
    const failure = new Error('first');
    const work = run(
      of({ bad: [], slow: [], after: ['bad'], later: ['slow'] }),
      async ({ name }, signal) => {
        begun.push(name);
        if (name === 'bad') throw failure;
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('stopped')));
        });
      },
      { jobs: 3, signal: never },
    );
    await expect(work).rejects.toBe(failure);
    expect(begun).toEqual(['bad', 'slow']);
  });

  test('an abort is passed on, and its reason is thrown', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const work = run(
      of({ a: [], b: ['a'] }),
      async (_command, signal) => {
        controller.abort(reason);
        signal.throwIfAborted();
      },
      { jobs: 3, signal: controller.signal },
    );
    await expect(work).rejects.toBe(reason);
  });

  test('a step that needs a later one is a mistake in the plan', async () => {
    await expect(run(of({ a: ['b'], b: [] }), async () => undefined, { jobs: 3, signal: never })).rejects.toThrow(
      'a needs b',
    );
  });
});
