/** A valid drift event's request body. */
export function aDriftEvent(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return { event_type: 'drift.created', data: driftData(), ...overrides };
}

export function driftData(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    drift_type: 'DENIAL_RATE',
    payer: 'Aetna',
    baseline_value: 0.12,
    current_value: 0.31,
    severity: 0.8,
    confidence: 0.95,
    ...overrides,
  };
}
