// Where telemetry goes, how it is looked at, and what wakes somebody.

param token string
param location string
param tags object
param alertEmail string

module logs 'br/public:avm/res/operational-insights/workspace:0.16.1' = {
  name: 'logs'
  params: {
    name: 'log-${token}'
    location: location
    tags: tags
    dataRetention: 30
    features: { disableLocalAuth: true }
  }
}

module insights 'br/public:avm/res/insights/component:0.8.0' = {
  name: 'insights'
  params: {
    name: 'appi-${token}'
    location: location
    tags: tags
    workspaceResourceId: logs.outputs.resourceId
    disableLocalAuth: true
    disableIpMasking: false
    retentionInDays: 30
  }
}

resource workbook 'Microsoft.Insights/workbooks@2022-04-01' = {
  name: guid(resourceGroup().id, token, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'dropscore'
    category: 'workbook'
    sourceId: logs.outputs.resourceId
    // Where its queries look, however it was opened.
    serializedData: string(union(loadJsonContent('workbook.json'), { fallbackResourceIds: [logs.outputs.resourceId] }))
  }
}

module alerts 'alerts.bicep' = {
  name: 'alerts'
  params: {
    token: token
    location: location
    tags: tags
    logsId: logs.outputs.resourceId
    email: alertEmail
  }
}

output logsId string = logs.outputs.resourceId
output insightsId string = insights.outputs.resourceId
output insightsConnection string = insights.outputs.connectionString
