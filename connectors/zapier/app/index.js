'use strict';

const { version } = require('./package.json');
const platformVersion = require('zapier-platform-core').version;
const { authentication, addApiKey } = require('./authentication');
const { explain } = require('./lib');

module.exports = {
  version,
  platformVersion,
  authentication,
  beforeRequest: [addApiKey],
  afterResponse: [explain],
  triggers: require('./triggers'),
  creates: require('./creates'),
  searches: require('./searches'),
  searchOrCreates: {
    find_contact: {
      key: 'find_contact',
      display: { label: 'Find or Create Contact', description: 'Finds a contact by e-mail, or makes it.' },
      search: 'find_contact',
      create: 'create_or_update_contact',
    },
  },
};
