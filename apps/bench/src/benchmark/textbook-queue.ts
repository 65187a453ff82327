export const TEXTBOOK_QUEUE = 'textbook';
export type TextbookJob = { deliveryId: string };
