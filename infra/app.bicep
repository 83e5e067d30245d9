// The function app, on Flex Consumption, and every setting it reads.

param token string
param location string
param tags object
@description('The app\'s identity: resource id and client id.')
param identityId string
param clientId string
@description('Addresses of the storage account: { blob, queue, table }.')
param storageEndpoints object
@description('Names of the containers, by role.')
param containers object
@description('Container of the app\'s package.')
param packages string
param insightsConnection string
param workspaceId string
param taskHub string
@description('Address of Durable Task Scheduler; empty: Durable Functions keeps its state in storage.')
param schedulerEndpoint string
param subnetId string
param maximumInstances int

var useScheduler = !empty(schedulerEndpoint)
var durable = 'AzureFunctionsJobHost__extensions__durableTask__storageProvider'
var schedulerSetting = 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'

var settings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: clientId
  AzureWebJobsStorage__blobServiceUri: storageEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: storageEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: storageEndpoints.table
  DROPSCORE_STORAGE__credential: 'managedidentity'
  DROPSCORE_STORAGE__clientId: clientId
  DROPSCORE_STORAGE__blobServiceUri: storageEndpoints.blob
  DROPSCORE_STORAGE__queueServiceUri: storageEndpoints.queue
  DROPSCORE_INBOX: containers.inbox
  DROPSCORE_PREDICTIONS: containers.predictions
  DROPSCORE_REJECTED: containers.rejected
  DROPSCORE_ARCHIVE: containers.archive
  DROPSCORE_WORK: containers.work
  DROPSCORE_LEDGER: containers.ledger
  DROPSCORE_CONFIG: containers.config
  DROPSCORE_STATUS: containers.status
  DROPSCORE_BLOB_SOURCE: 'eventgrid'
  DROPSCORE_SWEEP_SCHEDULE: '0 * * * * *'
  DROPSCORE_WORKSPACE: workspaceId
  TASKHUB_NAME: taskHub
  AZURE_CLIENT_ID: clientId
  AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
  PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
  OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: 'azure_sdk,requests,urllib,urllib3'
  '${durable}__type': useScheduler ? 'azureManaged' : 'AzureStorage'
  // Said of both: with storage it is an older name of `connectionName`, and what the scheduler left there would win.
  '${durable}__connectionStringName': useScheduler ? schedulerSetting : 'AzureWebJobsStorage'
}

var schedulerSettings = {
  '${schedulerSetting}': 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${clientId}'
}

module plan 'br/public:avm/res/web/serverfarm:0.7.0' = {
  name: 'plan'
  params: {
    name: 'plan-${token}'
    location: location
    tags: tags
    kind: 'functionapp'
    skuName: 'FC1'
    reserved: true
  }
}

module site 'br/public:avm/res/web/site:0.24.0' = {
  name: 'site'
  params: {
    name: 'func-${token}'
    location: location
    tags: union(tags, { 'azd-service-name': 'scorer' })
    kind: 'functionapp,linux'
    serverFarmResourceId: plan.outputs.resourceId
    managedIdentities: { userAssignedResourceIds: [identityId] }
    keyVaultAccessIdentityResourceId: identityId
    virtualNetworkSubnetResourceId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storageEndpoints.blob}${packages}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        // One instance of the durable functions is there before the first file, and looks for work by itself.
        alwaysReady: [{ name: 'durable', instanceCount: 1 }]
        instanceMemoryMB: 2048
        maximumInstanceCount: maximumInstances
      }
    }
    siteConfig: { alwaysOn: false, minTlsVersion: '1.2' }
    // Settings that somebody added by hand (a webhook's secret) stay; those above always win.
    configs: [
      {
        name: 'appsettings'
        retainCurrentAppSettings: true
        properties: union(settings, useScheduler ? schedulerSettings : {})
      }
    ]
  }
}

output name string = site.outputs.name
output url string = 'https://${site.outputs.defaultHostname}'
