// The walks of several tenants: one that fails does not keep the others from theirs.

import t from 'tap';
import { DEFAULT_CALIBRATION } from '../../src/lifecycle/calibration.js';
import { predictDue } from '../../src/models/predictions-walk.js';
import type { CurrentModels } from '../../src/models/schemas.js';
import { startService } from '../helpers/service.js';
import { read } from './shop.js';

t.test('the tenants after one that fails are predicted in the same run', async (t) => {
  const first = await startService(t);
  const tenants = [first, await first.forTenant('second'), await first.forTenant('third')];
  for (const tenant of tenants) await tenant.inject('POST', '/v1/calibrations');
  const { database, services, clock } = first;
  const asked: string[] = [];
  const groundOf = async ({ tenantId }: { tenantId: string }) => {
    asked.push(tenantId);
    if (asked.length === 1) throw new Error('the ground has given way');
    return { calibration: DEFAULT_CALIBRATION, timeZone: 'UTC' };
  };
  const deps = { database, offload: services.offload, groundOf, clock: clock.now };
  await t.rejects(predictDue(deps, clock.now()), /has given way/, 'it is not kept secret');
  t.same(new Set(asked), new Set(tenants.map(({ tenant }) => tenant.id)));
  for (const tenant of tenants) {
    const { predictions } = await read<CurrentModels>(tenant, '/v1/models/current');
    const computedAt = tenant.tenant.id === asked[0] ? null : clock.now().toISOString();
    t.equal(predictions.computedAt, computedAt, tenant.tenant.slug);
  }
});
