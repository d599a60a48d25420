'use strict';

const { version } = require('./package.json');
const platformVersion = require('zapier-platform-core').version;
const { authentication, addApiKey } = require('./authentication');
const newConversion = require('./triggers/new_conversion');
const options = require('./triggers/options');

module.exports = {
  version,
  platformVersion,
  authentication,
  beforeRequest: [addApiKey],
  triggers: { [newConversion.key]: newConversion, ...options },
};
