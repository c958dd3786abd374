/** A host path (or a tmpfs) shown inside a sandbox at `target`. */
export type Mount =
  | { readonly kind: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly mode?: number };

/** A command as data: nothing here runs it, so a plan can be printed, hashed and tested. */
export interface Command {
  /** A short name for logs and progress, unique within its plan. */
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** The working directory, absolute, as the command sees it. */
  readonly cwd: string;
}

/** The command as a line that a POSIX shell reads back as the same words. */
export function toShell(command: Command): string {
  const words = [...Object.entries(command.env).map(([name, value]) => `${name}=${quote(value)}`)];
  const prefix = words.length > 0 ? `env -i ${words.join(' ')} ` : 'env -i ';
  return `cd ${quote(command.cwd)} && ${prefix}${command.argv.map(quote).join(' ')}`;
}

/** One word, quoted for a POSIX shell only where it must be. */
export const quote = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
