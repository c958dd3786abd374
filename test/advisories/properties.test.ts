import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BuildFacts, evaluate } from '../../libs/advisories/evaluate.ts';
import { touching } from '../../libs/advisories/report.ts';
import { advisories, plain } from './support.ts';

describe('for any build', () => {
  const patches = [...new Set(advisories.flatMap((advisory) => advisory.patches.flat()))];
  const words = [
    '--with-http_ssl_module',
    '--with-http_v2_module',
    '--with-http_v3_module',
    '--with-http_mp4_module',
    '--with-http_dav_module',
    '--with-mail',
    '--with-stream=dynamic',
    '--with-stream_ssl_module',
    '--with-threads',
    '--without-http_rewrite_module',
  ];
  const builds = fc
    .record({
      release: fc.constantFrom('1.22.1', '1.26.0', '1.26.3', '1.28.3', '1.29.8', '1.30.4', '1.30.6', '1.31.5'),
      revision: fc.constantFrom('-1', '-3+deb13u2', '-3+deb13u7', '-3+deb13u10', '-9+deb12u5'),
      suite: fc.constantFrom('trixie', 'bookworm', 'forky', 'sid'),
      quic: fc.constantFrom('native' as const, 'boringssl' as const, 'compat' as const, 'none' as const),
      applied: fc.subarray(patches),
      given: fc.subarray(words),
    })
    .map(
      ({ release, revision, suite, quic, applied, given }): BuildFacts => ({
        ...plain,
        nginx: release,
        quic,
        features: given,
        debian: { suite, version: `${release}${revision}`, patches: applied },
      }),
    );
  const affected = (build: BuildFacts) => new Set(touching(evaluate(advisories, build)).map(({ id }) => id));

  test('one more patch never makes it more affected', () => {
    fc.assert(
      fc.property(builds, fc.constantFrom(...patches), ({ debian, ...build }, patch) => {
        if (debian === undefined) return;
        const before = affected({ ...build, debian });
        const after = affected({ ...build, debian: { ...debian, patches: [...debian.patches, patch] } });
        expect([...after].filter((id) => !before.has(id))).toEqual([]);
      }),
    );
  });

  test('one more module never makes it less affected', () => {
    fc.assert(
      fc.property(builds, fc.constantFrom(...words.filter((word) => word.startsWith('--with-'))), (build, word) => {
        const after = affected({ ...build, features: [...build.features, word] });
        expect([...affected(build)].filter((id) => !after.has(id))).toEqual([]);
      }),
    );
  });

  test('each advisory gives one finding, with its reason', () => {
    fc.assert(
      fc.property(builds, (build) => {
        const findings = evaluate(advisories, build);
        expect(findings.map(({ id }) => id)).toEqual(advisories.map(({ id }) => id));
        expect(findings.filter(({ why }) => why === '' || /\n|undefined/.test(why))).toEqual([]);
      }),
    );
  });
});
