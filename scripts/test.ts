import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { $ } from 'zx';
import { main, repository } from './support/main.ts';

const program = new Command('test')
  .description('Checks types and style, then runs the tests: unit tests first, then those with real programs.')
  .argument('[filter...]', 'only test files whose path contains one of these');

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The fields of vitest's JSON report that are read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
}

await main(program, async () => {
  const run = $({ cwd: repository, stdio: 'inherit', nothrow: true });
  const check = async (name: string): Promise<Counts> => {
    const { exitCode } = await run`npm run --silent ${name}`;
    return { passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 };
  };
  const vitest = async (project: string): Promise<Counts> => {
    const dir = await mkdtemp(join(tmpdir(), 'h3forge-report-'));
    try {
      const file = join(dir, 'report.json');
      const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
      const { exitCode } = await run`vitest run --project ${project} --passWithNoTests ${reporters} ${program.args}`;
      const report = JSON.parse(await readFile(file, 'utf8')) as Report;
      const { numPassedTests: passed, numFailedTests, numFailedTestSuites, numPendingTests: skipped } = report;
      // A file that cannot be loaded, or an error outside of a test, fails no test, but it is a failure.
      const failed = numFailedTests || numFailedTestSuites || (exitCode === 0 ? 0 : 1);
      return { passed, failed, skipped };
    } finally {
      await rm(dir, { recursive: true });
    }
  };
  const parts: Counts[] = [];
  if (program.args.length === 0) parts.push(await check('types'), await check('lint'));
  for (const project of ['unit', 'real']) parts.push(await vitest(project));
  const sum = (of: (counts: Counts) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const [passed, failed, skipped] = [
    sum((part) => part.passed),
    sum((part) => part.failed),
    sum((part) => part.skipped),
  ];
  if (skipped > 0) process.stdout.write(`\n${skipped} skipped: this machine cannot do what they need\n`);
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  return failed > 0 || passed === 0 ? 1 : 0;
});
