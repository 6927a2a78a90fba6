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
 * The account to run the server as, when this process is root. What exists goes on under its owner: begun
 * by an ordinary user and continued by root, a folder must stay that user's.
 */
export function serverAccount(dataDir: string, clusterDir: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const known = accounts();
  const clusterOwner = ownerOf(clusterDir);
  if (clusterOwner) return known.find(({ uid }) => uid === clusterOwner.uid) ?? clusterOwner;
  // initdb wants its user to have a name, which the owner of a mounted folder need not have.
  const folderOwner = ownerOf(dataDir);
  const candidates = [
    known.find(({ uid }) => uid === folderOwner?.uid),
    ...NAMES.map((name) => known.find((account) => account.name === name)),
  ];
  return candidates.find((account) => account !== undefined) ?? NOBODY;
}

/** The owner of a folder that exists and is not root's. */
function ownerOf(dir: string): Account | undefined {
  const stat = statSync(dir, { throwIfNoEntry: false });
  return stat && stat.uid !== 0 ? { name: String(stat.uid), uid: stat.uid, gid: stat.gid } : undefined;
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
