// Owns the route of simulations.

import { responses } from '../api/responses.js';
import { type App, ref } from '../api/schema.js';
import { contextOf } from '../plugins/context.js';
import { policyPath } from './policy-schemas.js';
import { type PoliciesService, parsePolicyRef } from './service.js';
import type { Simulated } from './simulating.js';
import { SIMULATION_SCHEMAS, Simulation, SimulationInput } from './simulation-schemas.js';
import { toApiSimulation } from './simulation-views.js';

export function simulationRoutesOf(app: App, policies: PoliciesService): void {
  for (const schema of SIMULATION_SCHEMAS) app.addSchema(schema);
  app.post(
    '/v1/policies/:id/simulations',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'simulatePolicy',
        tags: ['Policies'],
        summary: 'Run a policy over a made-up history',
        description:
          'The stages that such a customer would go through, each with its time and reasons, and the events that ' +
          'would be told. The policy, whatever its status, holds from the beginning of time, with the tenant’s ' +
          'newest fits. For whoever writes policies, and for the tests of those who integrate. Nothing is kept.',
        params: policyPath,
        body: ref(SimulationInput),
        response: responses({ 200: ref(Simulation) }, 404),
      },
    },
    async (request, reply) => {
      const answer = (simulated: Simulated) => ({ status: 200, body: toApiSimulation(simulated) });
      const context = contextOf(request, 200, answer);
      const simulated = await policies.simulate(context, parsePolicyRef(request.params.id), request.body);
      return reply.send(toApiSimulation(simulated));
    },
  );
}
