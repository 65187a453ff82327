import type { ApiDeps } from './api-dependencies.js';
import { apiKeyRoutes } from './api-keys.js';
import { auditLogRoutes } from './audit-log.js';
import { customerRoutes } from './customers.js';
import { deliveryRoutes } from './deliveries.js';
import { driftEventRoutes } from './drift-events.js';
import { endpointRoutes } from './endpoints.js';
import type { Route } from './route.js';

/** Every route of the public API under /v1, in the order of the documentation. */
export function apiRoutes(deps: ApiDeps): Route[] {
  return [
    ...customerRoutes(deps),
    ...apiKeyRoutes(deps),
    ...endpointRoutes(deps),
    ...driftEventRoutes(deps),
    ...deliveryRoutes(deps),
    ...auditLogRoutes(deps),
  ];
}
