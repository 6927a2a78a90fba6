// Owns what can be known of a process from outside: whether it still runs, when it started, its command.
// A pid alone proves nothing: it is reused, and a zombie that nobody reaps answers signals like the living.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { codeOf } from './fault.js';

export interface RunningProcess {
  pid: number;
  /** Differs between two processes that had the same pid, across reboots too. */
  startToken: string;
  command: string;
}

/** The process with that pid, or undefined when there is none or only its zombie is left. */
export function findProcess(pid: number): RunningProcess | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return process.platform === 'linux' ? findInProc(pid) : findWithPs(pid);
}

function findInProc(pid: number): RunningProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may hold spaces and brackets itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    if (state === undefined || 'ZX'.includes(state)) return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return { pid, startToken: tokenOf(bootId(), fields[19]), command };
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

function findWithPs(pid: number): RunningProcess | undefined {
  const line = psLine(pid);
  const match = /^(\S+)\s+(.{24})\s+(.*)$/.exec(line);
  const [, state = '', startedAt, command = ''] = match ?? [];
  if (startedAt === undefined || state.startsWith('Z')) return undefined;
  return { pid, startToken: tokenOf(startedAt), command };
}

function psLine(pid: number): string {
  try {
    const args = ['-o', 'stat=', '-o', 'lstart=', '-o', 'command=', '-p', String(pid)];
    return execFileSync('ps', args, { encoding: 'utf8', env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' } }).trim();
  } catch {
    // ps answers 1 when there is no such process.
    return '';
  }
}

/** Start times in /proc count from boot: without the boot's own name, two boots could give the same one. */
function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
}

function tokenOf(...parts: (string | undefined)[]): string {
  return createHash('sha256').update(parts.join(' ')).digest('hex').slice(0, 12);
}
