import type { Conditions } from '@driftwire/database';
import { given } from './given.js';

/** Which conditions an index serves together with the order, and which are left to be looked at row by row. */
export type FilterPlan = { indexed: Conditions; residual: Conditions };

type Filters = { [Column in keyof Conditions]?: string | undefined };

/**
 * Of several filters one goes to an index: the first given of `bySelectivity`. `alone` are columns whose index knows no
 * customer; the others' indexes begin with it, so without a customer they serve nothing.
 */
export function planFilters(
  customerId: string | undefined,
  filters: Filters,
  { bySelectivity, alone }: { bySelectivity: readonly (keyof Conditions)[]; alone: readonly (keyof Conditions)[] },
): FilterPlan {
  const all: Conditions = given({ ...filters });
  const served = bySelectivity.find((column) => all[column] !== undefined && (customerId || alone.includes(column)));
  const { [served ?? 'id']: value, ...rest } = all;
  const customer = given({ customer_id: customerId });
  if (served === undefined || value === undefined) return { indexed: customer, residual: all };
  if (alone.includes(served)) return { indexed: { [served]: value }, residual: { ...rest, ...customer } };
  return { indexed: { ...customer, [served]: value }, residual: rest };
}
