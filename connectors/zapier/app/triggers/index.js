'use strict';

const { hookTrigger } = require('./hook');
const options = require('./options');

const ID = '01J8Z0000000000000000000AB';
const SALE = { order_id: '1001', value: 49.99, value_formatted: '49.99 EUR' };

const hooks = [
  hookTrigger({
    key: 'new_conversion',
    noun: 'Conversion',
    label: 'New Conversion',
    description: 'Triggers when the hub records a purchase, a lead, a refund or another stage that you choose.',
    event: 'conversion',
    filters: ['stages', 'offers', 'campaigns'],
    sample: { id: `${ID}_purchase`, kind: 'conversion', stage: 'purchase', ...SALE },
  }),
  hookTrigger({
    key: 'refund_or_dispute',
    noun: 'Refund',
    label: 'Refund or Dispute',
    description: 'Triggers when money goes back: a refund, or a chargeback that was opened.',
    event: 'refund',
    filters: ['offers', 'campaigns'],
    sample: { id: `${ID}_refund`, kind: 'refund', ...SALE },
  }),
  hookTrigger({
    key: 'new_lead',
    noun: 'Lead',
    label: 'New Lead',
    description: 'Triggers when somebody gave up at the checkout, or whose payment was refused.',
    event: 'lead',
    filters: ['offers', 'campaigns'],
    sample: { id: `${ID}_lead`, kind: 'conversion', stage: 'lead', reason: 'refused: card declined', ...SALE },
  }),
  hookTrigger({
    key: 'new_contact',
    noun: 'Contact',
    label: 'New Contact',
    description: 'Triggers with the first thing that the hub hears of a person.',
    event: 'contact',
    filters: ['offers', 'campaigns'],
    sample: { id: `${ID}_contact`, kind: 'contact', first_name: 'Anna', last_name: 'Martin' },
  }),
];

module.exports = { ...Object.fromEntries(hooks.map((trigger) => [trigger.key, trigger])), ...options };
