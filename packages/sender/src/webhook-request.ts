/** What one attempt sends, and where. `body` goes out byte for byte as it is: these are the bytes that are signed. */
export type WebhookRequest = {
  url: string;
  eventType: string;
  deliveryId: string;
  attemptNumber: number;
  webhookId: string;
  body: Buffer;
  /** Newest first. */
  secrets: readonly [string, ...string[]];
  customHeaders: Readonly<Record<string, string>>;
};
