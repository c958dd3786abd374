import type { Quic } from '../core/recipe.ts';
import * as debianVersion from '../debian/version.ts';
import * as features from './features.ts';
import * as releases from './releases.ts';
import type { Advisory, Trait } from './schema.ts';
import type { Severity } from './severity.ts';

/** What an advisory is held against. */
export interface BuildFacts {
  /** The upstream release: `1.26.3`. */
  readonly nginx: string;
  /** Where nginx is Debian's, as a source or compiled. */
  readonly debian?: {
    /** `trixie`; its `-security` and `-updates` are the same. */
    readonly suite: string;
    /** Of the source package: `1.26.3-3+deb13u7`. */
    readonly version: string;
    /** The series that was applied, where it is known. */
    readonly patches: readonly string[];
  };
  /** The version of libssl, Debian's or upstream's; only shown. */
  readonly openssl: string;
  readonly quic: Quic;
  /** The words of nginx's configure: what is compiled in follows from them. */
  readonly features: readonly string[];
  /** Versions of the modules that are not nginx's own, by their names in the catalogue. */
  readonly modules: Readonly<Record<string, string>>;
}

/** What one advisory means for one build. */
export interface Finding {
  readonly id: string;
  readonly severity: Severity | 'unrated';
  readonly title: string;
  readonly state: 'affected' | 'fixed' | 'not-applicable';
  /** One line. */
  readonly why: string;
  /** Where it is affected, only if these directives are used. */
  readonly configuration?: string;
  readonly link: string;
}

type Verdict = Pick<Finding, 'state' | 'why'>;

/** One finding for each advisory, in their order. Throws `VERSION_INVALID` where the version of Debian's package is none. */
export function evaluate(advisories: readonly Advisory[], build: BuildFacts): Finding[] {
  return advisories.map((advisory) => {
    const { id, title, severity = 'unrated', configuration, links } = advisory;
    const verdict = judge(advisory, build);
    const only = verdict.state === 'affected' && configuration !== undefined ? { configuration } : {};
    return { id, severity, title, ...verdict, ...only, link: links[0] ?? '' };
  });
}

function judge(advisory: Advisory, build: BuildFacts): Verdict {
  const { component, affected, fixed } = advisory;
  const given = component === 'nginx' ? build.nginx : build.modules[component];
  if (given === undefined) return { state: 'not-applicable', why: `this build has no ${component}` };
  const version = releases.release(given);
  if (version === undefined) {
    return { state: 'affected', why: `${component} ${given} is no release; fixed in ${fixed.join(' and ')}` };
  }
  const debian = component === 'nginx' ? inDebian(advisory, build) : undefined;
  if (debian?.state === 'fixed') return debian;
  const fix = releases.fixedBy(version, fixed);
  if (debian === undefined && (fix !== undefined || !releases.within(version, affected))) {
    return fix === undefined
      ? { state: 'not-applicable', why: `${component} ${version} is none of ${releases.show(affected)}` }
      : { state: 'fixed', why: `fixed in ${component} ${fix}` };
  }
  return unmet(advisory, build) ?? { state: 'affected', why: affects(advisory, component, debian) };
}

/** What Debian's patches and revisions say, if anything: a revision only vouches for its own upstream release. */
function inDebian({ debian, patches }: Advisory, build: BuildFacts): Verdict | undefined {
  if (build.debian === undefined) return undefined;
  const { suite, version } = build.debian;
  const applied = new Set(build.debian.patches.map((line) => line.trim().split(/\s/)[0]));
  const names = patches.find((needed) => needed.every((name) => applied.has(name)));
  if (names !== undefined) return { state: 'fixed', why: `fixed by Debian's patch ${names.join(' and ')}` };
  const revision = debian[suite.replace(/-.*$/, '')];
  if (revision === undefined) return undefined;
  if (debianVersion.parse(revision).upstream !== debianVersion.parse(version).upstream) return undefined;
  return debianVersion.compare(version, revision) >= 0
    ? { state: 'fixed', why: `fixed in Debian's ${revision}` }
    : { state: 'affected', why: `fixed in Debian's ${revision}` };
}

function affects({ fixed, configuration }: Advisory, component: string, debian: Verdict | undefined): string {
  const fix = debian?.why ?? `fixed in ${component} ${fixed.join(' and ')}`;
  return configuration === undefined ? fix : `${fix}; only with: ${configuration}`;
}

/** The first part of the condition that the build does not have. */
function unmet({ condition }: Advisory, build: BuildFacts): Verdict | undefined {
  const missing = condition.find((traits) => !traits.some((trait) => met(trait, build)));
  if (missing === undefined) return undefined;
  const has = missing.some((trait) => 'quic' in trait)
    ? `${QUIC[build.quic]}, OpenSSL ${build.openssl}`
    : 'was compiled without';
  const verb = missing.some((trait) => 'quic' in trait) ? 'has ' : '';
  return { state: 'not-applicable', why: `needs ${missing.map(show).join(' or ')}; this build ${verb}${has}` };
}

const met = (trait: Trait, build: BuildFacts): boolean =>
  'module' in trait ? features.has(trait.module, build.features) : build.quic === trait.quic;

const show = (trait: Trait): string => ('module' in trait ? trait.module : QUIC[trait.quic]);

const QUIC: Readonly<Record<Quic, string>> = {
  native: "OpenSSL's own QUIC",
  boringssl: "BoringSSL's QUIC",
  compat: 'QUIC over OpenSSL < 3.5.1',
  none: 'no QUIC',
};
