import type { Command } from '../core/command.ts';
import type { Captured } from '../sandbox/capture.ts';
import * as curl from './curl.ts';
import type { Probe, Request, Response, Verdict } from './types.ts';

/** Runs a client's command where the server can be reached. */
export type Exec = (command: Command) => Promise<Captured>;

/** Asks every probe's question, side by side, and judges the answers. The order of the verdicts is that of the probes. */
export async function verify(probes: readonly Probe[], exec: Exec): Promise<Verdict[]> {
  // Two probes with the same question share one answer.
  const asked = new Map<string, Promise<Response>>();
  const ask = (request: Request): Promise<Response> => {
    const key = JSON.stringify(request);
    const response = asked.get(key) ?? fetchOnce(request, exec);
    asked.set(key, response);
    return response;
  };
  return await Promise.all(probes.map(async (probe) => judge(probe, await ask(probe.request))));
}

async function fetchOnce(request: Request, exec: Exec): Promise<Response> {
  const { stdout, stderr, exitCode } = await exec(curl.command(request));
  return curl.parse(stdout, stderr, exitCode);
}

/** The verdict of a probe on a response, which must have come over the version that was asked for; pure. */
export function judge(probe: Probe, response: Response): Verdict {
  if ('error' in response) return { name: probe.name, ok: false, detail: response.error };
  const { version } = response;
  const wrong = version === probe.request.version ? probe.judge(response) : `answered over ${version}`;
  return { name: probe.name, ok: wrong === undefined, detail: wrong ?? probe.detail(response) };
}
