// Durable Task Scheduler, for those who want its dashboard and throughput instead of Durable's state in storage.

param name string
param location string
param tags object
param taskHub string

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    ipAllowlist: ['0.0.0.0/0']
    sku: { name: 'Consumption' }
  }
}

resource hub 'Microsoft.DurableTask/schedulers/taskhubs@2025-11-01' = {
  parent: scheduler
  name: taskHub
}

output id string = scheduler.id
output endpoint string = scheduler.properties.endpoint
