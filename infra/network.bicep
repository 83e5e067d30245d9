// A virtual network for the app, the cluster and the private endpoints of storage.

param name string
param location string
param tags object

var services = ['blob', 'queue', 'table']

module network 'br/public:avm/res/network/virtual-network:0.10.1' = {
  name: 'virtual-network'
  params: {
    name: name
    location: location
    tags: tags
    addressPrefixes: ['10.0.0.0/16']
    subnets: [
      { name: 'app', addressPrefix: '10.0.0.0/24', delegation: 'Microsoft.App/environments', defaultOutboundAccess: true }
      { name: 'cluster', addressPrefix: '10.0.1.0/24', defaultOutboundAccess: true }
      { name: 'endpoints', addressPrefix: '10.0.2.0/24', defaultOutboundAccess: false }
    ]
  }
}

module zones 'br/public:avm/res/network/private-dns-zone:0.8.1' = [
  for service in services: {
    name: 'zone-${service}'
    params: {
      name: 'privatelink.${service}.${environment().suffixes.storage}'
      tags: tags
      virtualNetworkLinks: [{ virtualNetworkResourceId: network.outputs.resourceId }]
    }
  }
]

output appSubnetId string = network.outputs.subnetResourceIds[0]
output clusterSubnetId string = network.outputs.subnetResourceIds[1]
output storageEndpoints array = [
  for (service, index) in services: {
    service: service
    subnetResourceId: network.outputs.subnetResourceIds[2]
    privateDnsZoneGroup: {
      privateDnsZoneGroupConfigs: [{ privateDnsZoneResourceId: zones[index].outputs.resourceId }]
    }
  }
]
