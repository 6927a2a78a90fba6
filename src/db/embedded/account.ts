// Owns the question as whom the server runs: Postgres refuses to run as root.
import { readFileSync, statSync } from 'node:fs';

/** A user of this machine; undefined stands for whoever runs this process. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
}

/** Made for the purpose where it exists; `nobody` exists everywhere, and needs no useradd. */
const NAMES = ['postgres', '_postgres', 'nobody'];
const NOBODY: Account = { name: 'nobody', uid: 65_534, gid: 65_534 };

/**
 * The account to run the server as. A cluster that exists goes on under its owner, whichever that was:
 * first started by an ordinary user and then by root, its files must stay that user's.
 */
export function serverAccount(clusterDir: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const known = accounts();
  const owner = statSync(clusterDir, { throwIfNoEntry: false });
  if (owner !== undefined && owner.uid !== 0) {
    const name = known.find(({ uid }) => uid === owner.uid)?.name ?? String(owner.uid);
    return { name, uid: owner.uid, gid: owner.gid };
  }
  const suitable = NAMES.map((name) => known.find((account) => account.name === name));
  return suitable.find((account) => account !== undefined) ?? NOBODY;
}

function accounts(): Account[] {
  return passwdLines().flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && Number(uid) > 0 ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

function passwdLines(): string[] {
  try {
    return readFileSync('/etc/passwd', 'utf8').split('\n');
  } catch {
    // The smallest images have none; the kernel asks for numbers only.
    return [];
  }
}
