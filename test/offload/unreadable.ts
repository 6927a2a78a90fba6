// A value for the pool's tests that can be sent and not received.

import { BlockList } from 'node:net';

/** What has a clone that nobody can read: it names a class that there is not. */
export function unreadable(): unknown {
  const clone = Object.getOwnPropertySymbols(BlockList.prototype).find(
    ({ description }) => description === 'messaging_clone_symbol',
  );
  if (clone === undefined) throw new Error('Node clones its own classes in another way by now');
  return Object.assign(new BlockList(), { [clone]: () => ({ data: {}, deserializeInfo: 'no:such' }) });
}
