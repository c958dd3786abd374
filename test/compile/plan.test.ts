import { describe, expect, test } from 'vitest';
import { paths, plan, planModule, type Step } from '../../libs/compile/plan.ts';
import { run } from '../../libs/compile/run.ts';
import type { ChosenModule, Link, NginxModule } from '../../libs/core/module.ts';
import recipe from '../../nginx-quic/recipe.ts';

const module = (name: string, link: Link, more: Partial<NginxModule> = {}): ChosenModule => ({
  module: {
    name,
    summary: '',
    homepage: '',
    source: { debian: name },
    link: { default: link },
    objects: [`${name}.so`],
    smoke: { server: '', request: { path: '/' }, expect: { status: 200 } },
    ...more,
  },
  link,
  origin: more.source === 'nginx' ? 'nginx' : 'source',
  version: '1',
});
const stream = module('stream', 'static', {
  source: 'nginx',
  configure: ['--with-stream', '--with-stream_ssl_module'],
});
const ndk = module('ndk', 'static');
const lua = module('lua', 'static', { needsLuajit: true, requires: ['ndk'] });
const misc = module('misc', 'dynamic', { requires: ['ndk'], folder: 'nginx' });
const chosen = [stream, ndk, lua];

const { steps, sources } = plan(recipe, chosen);
const step = (name: string, of: readonly Step[] = steps): Step => {
  const found = of.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};

describe('the plan of a recipe', () => {
  test('is the same each time', () => {
    expect(plan(recipe, chosen).steps).toEqual(steps);
    expect(steps.map(({ name }) => name)).toEqual([
      ...['luajit-make', 'luajit-install'],
      ...['nginx-configure', 'nginx-make', 'nginx-install', 'strip'],
    ]);
    expect(sources).toEqual(['nginx', 'luajit', 'ndk', 'lua']);
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
    expect(env.SOURCE_DATE_EPOCH).toBe(String(recipe.channel.epoch));
    const [other] = plan({ ...recipe, epoch: 1 }, chosen).steps;
    expect(other?.env.SOURCE_DATE_EPOCH).toBe('1');
  });

  test('static modules are added in their order; a part of nginx by its own words', () => {
    const { argv } = step('nginx-configure');
    expect(argv).toEqual(expect.arrayContaining(['--with-stream', '--with-stream_ssl_module']));
    const added = argv.filter((word) => word.startsWith('--add-'));
    expect(added).toEqual(['ndk', 'lua'].map((name) => `--add-module=${paths.source(name)}`));
  });

  test('a dynamic module changes nothing of nginx itself', () => {
    expect(plan(recipe, [...chosen, misc])).toEqual({ steps, sources });
  });

  test('without a module that links with LuaJIT there is no LuaJIT, and nginx waits for nothing', () => {
    const without = plan(recipe, [ndk]);
    expect(without.steps.map(({ name }) => name)).not.toContain('luajit-make');
    expect(without.sources).toEqual(['nginx', 'ndk']);
    const { needs, env } = step('nginx-configure', without.steps);
    expect(needs).toEqual([]);
    expect(env).not.toHaveProperty('LUAJIT_LIB');
    expect(step('strip', without.steps).needs).toEqual(['nginx-install']);
  });
});

describe('the plan of a dynamic module', () => {
  test('configures nginx with the same words, what the module needs, and the module', () => {
    const made = planModule(recipe, [...chosen, misc], misc);
    expect(made.sources).toEqual(['nginx', 'ndk', 'misc']);
    expect(made.needsBase).toBe(false);
    const { argv, env } = step('configure', made.steps);
    expect(argv).toEqual(expect.arrayContaining([...recipe.nginx.configure]));
    expect(argv).not.toContain('--with-stream');
    expect(argv.filter((word) => word.startsWith('--add-'))).toEqual([
      `--add-module=${paths.source('ndk')}`,
      `--add-dynamic-module=${paths.source('misc')}/nginx`,
    ]);
    expect(env).not.toHaveProperty('LUAJIT_LIB');
    expect(step('install', made.steps).argv.at(-1)).toContain('objs/misc.so');
  });

  test('has the parts of nginx that it names, linked as they are', () => {
    const geo = module('geo', 'dynamic', { after: ['stream'] });
    expect(step('configure', planModule(recipe, [stream, geo], geo).steps).argv).toContain('--with-stream');
    const dynamic: ChosenModule = { ...stream, link: 'dynamic' };
    expect(step('configure', planModule(recipe, [dynamic, geo], geo).steps).argv).toContain('--with-stream=dynamic');
    expect(planModule(recipe, [geo], geo).steps[0]?.argv.join(' ')).not.toContain('--with-stream');
  });

  test('does not depend on the other dynamic modules', () => {
    const other = module('other', 'dynamic');
    expect(planModule(recipe, [...chosen, other, misc], misc)).toEqual(planModule(recipe, [...chosen, misc], misc));
  });

  test('a part of nginx is made dynamic by its first word', () => {
    const dynamic: ChosenModule = { ...stream, link: 'dynamic' };
    const { argv } = step('configure', planModule(recipe, [dynamic, ndk], dynamic).steps);
    expect(argv).toEqual(expect.arrayContaining(['--with-stream=dynamic', '--with-stream_ssl_module']));
    expect(argv).not.toContain('--with-stream');
  });

  test('one that links with LuaJIT looks for it in what nginx was installed as', () => {
    const dynamic: ChosenModule = { ...lua, link: 'dynamic' };
    const made = planModule(recipe, [ndk, dynamic], dynamic);
    expect(made.needsBase).toBe(true);
    expect(step('configure', made.steps).env.LUAJIT_LIB).toContain(paths.base);
    // LuaJIT is compiled with nginx even so.
    expect(plan(recipe, [ndk, dynamic]).sources).toEqual(['nginx', 'luajit', 'ndk']);
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
