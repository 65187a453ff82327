import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dataTextOf, driftEventBody, testEventBody, withDelta } from './envelope.js';

const event = {
  eventType: 'drift.created',
  dataText: '{"z":1.10,"n":12345678901234567890 , "a":"żółć 🦆"}',
  requestId: 'request-1',
  eventId: 'event-1',
  occurredAt: '2026-01-31T00:00:00Z',
  createdAt: '2026-01-31T00:00:01.000Z',
};

test('the body is event_type, data as sent, and metadata, in this order', () => {
  expect(driftEventBody(event)).toBe(
    '{"event_type":"drift.created","data":{"z":1.10,"n":12345678901234567890 , "a":"żółć 🦆"},' +
      '"metadata":{"request_id":"request-1","event_id":"event-1",' +
      '"occurred_at":"2026-01-31T00:00:00Z","created_at":"2026-01-31T00:00:01.000Z"}}',
  );
});

test('data is cut back out byte for byte, even if it imitates the envelope', () => {
  const dataText = '{"metadata":{"x":1},"s":",\\"metadata\\":{","y":{"a":1,"metadata":{"request_id":"forged"}}}';
  expect(dataTextOf(driftEventBody({ ...event, dataText }), event.eventType)).toBe(dataText);
});

test('any data survives the round trip', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 1, 2), (data, indent) => {
      const dataText = JSON.stringify(data, null, indent);
      const body = driftEventBody({ ...event, dataText });
      expect(dataTextOf(body, event.eventType)).toBe(dataText);
      expect(JSON.parse(body).metadata.request_id).toBe('request-1');
    }),
  );
});

test('an endpoint test has the same envelope', () => {
  const body = testEventBody({ requestId: 'request-1', eventId: 'event-1', at: '2026-01-31T00:00:00.000Z' });
  expect(JSON.parse(body)).toEqual({
    event_type: 'webhook.test',
    data: { message: expect.any(String) },
    metadata: {
      request_id: 'request-1',
      event_id: 'event-1',
      occurred_at: '2026-01-31T00:00:00.000Z',
      created_at: '2026-01-31T00:00:00.000Z',
    },
  });
});

test('a delta_value that was sent is left alone', () => {
  const dataText = '{"baseline_value":1,"current_value":2,"delta_value":9.90}';
  expect(withDelta(dataText, { baseline_value: 1, current_value: 2, delta_value: 9.9 })).toBe(dataText);
});

test.each([
  [0.12, 0.31, '0.19'],
  [0.1, 0.3, '0.2'],
  [0.31, 0.12, '-0.19'],
  [5, 5, '0'],
  [0, 1 / 3, '0.333333333333'],
  [0, 1e-9, '1e-9'],
  [0, 1e300, '1e+300'],
  [1, 123456789012345, '123456789012000'],
  [-1.7e308, 1.7e308, '1.7976931348623157e+308'],
  [1.7e308, -1.7e308, '-1.7976931348623157e+308'],
])('from %d to %d a missing delta_value becomes %s, as the last member', (baseline_value, current_value, delta) => {
  const text = withDelta('{"current_value":1.10}', { baseline_value, current_value });
  expect(text).toBe(`{"current_value":1.10,"delta_value":${delta}}`);
  expect(Number.isFinite(JSON.parse(text).delta_value)).toBe(true);
});
