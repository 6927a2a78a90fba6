// Owns the few lines that a person who starts the service by hand sees when it is up.

import type { FirstKey } from './bootstrap.js';
import type { Role } from './config.js';

export interface Announcement {
  role: Role;
  url: string;
  firstKey: FirstKey;
  /** Where the embedded database keeps its data; undefined where the database is somebody else's. */
  dataDir: string | undefined;
}

export function writeBanner({ role, url, firstKey, dataDir }: Announcement): string {
  const lines = [
    role === 'worker'
      ? `Perennial works; its health is at ${url}/health/ready`
      : `Perennial listens on ${url}`,
  ];
  if (role !== 'worker') lines.push(`  docs      ${url}/docs`);
  const { key, keyFile } = firstKey;
  if (key !== undefined)
    lines.push(`  API key   ${key}`, `            shown this once; it is kept in ${keyFile}`);
  else if (keyFile !== undefined) lines.push(`  API key   in ${keyFile}`);
  if (dataDir !== undefined) lines.push(`  data      ${dataDir}`);
  return `${lines.join('\n')}\n`;
}

/** An address to listen on is not always one to visit: `0.0.0.0` means every address of the machine. */
export function visitableUrl(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
