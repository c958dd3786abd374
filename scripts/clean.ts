import { homedir } from 'node:os';
import { Command } from 'commander';
import * as paths from '../libs/store/paths.ts';
import { remove } from '../libs/store/temporary.ts';
import { main } from './support/main.ts';

const program = new Command('clean').description('Empties the store: downloads, roots, sources, compiled files.');

await main(program, async () => {
  const dir = paths.directory(process.env, homedir());
  await remove(dir);
  process.stdout.write(`removed ${dir}\n`);
  return 0;
});
