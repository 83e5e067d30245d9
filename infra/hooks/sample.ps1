# Deploys the sample model to the workspace that azd made, and writes its route where there are no routes yet. Run by azd
# after provisioning; by hand from the project's folder: pwsh infra/hooks/sample.ps1
$ErrorActionPreference = 'Stop'

function Get-Setting($name) {
    $value = azd env get-value $name
    if ($LASTEXITCODE -ne 0) { throw "azd has no value $name; run azd provision first." }
    $value
}

function Assert-Done {
    if ($LASTEXITCODE -ne 0) { throw "The command before failed; see above." }
}

# A role that was granted a minute ago may not be in force yet.
function Invoke-Patiently([scriptblock]$command) {
    $tries = if ($env:SAMPLE_TRIES) { [int]$env:SAMPLE_TRIES } else { 10 }
    $pause = if ($env:SAMPLE_PAUSE) { [int]$env:SAMPLE_PAUSE } else { 30 }
    & $command
    while ($LASTEXITCODE -ne 0 -and $tries -gt 1) {
        $tries -= 1
        Start-Sleep -Seconds $pause
        & $command
    }
}

$workspace = Get-Setting SAMPLE_WORKSPACE_NAME
if (-not $workspace) {
    Write-Output "The workspace is one of yours: its models and routes are, too (docs/deploy.md)."
    exit 0
}
$subscription = Get-Setting AZURE_SUBSCRIPTION_ID
$group = Get-Setting AZURE_RESOURCE_GROUP
$endpoint = Get-Setting SAMPLE_ENDPOINT_NAME
$storage = Get-Setting STORAGE_ACCOUNT_NAME
$config = Get-Setting CONFIG_CONTAINER

if (-not (Test-Path models/diabetes/model/diabetes.joblib)) {
    python -m venv .local/model
    Assert-Done
    .local/model/Scripts/python -m pip install --quiet --disable-pip-version-check -r models/diabetes/requirements.txt
    Assert-Done
    .local/model/Scripts/python models/diabetes/train.py
    Assert-Done
}
az extension add --name ml --upgrade --only-show-errors
Assert-Done
az ml batch-endpoint create --subscription "$subscription" --resource-group "$group" --workspace-name "$workspace" `
    --name "$endpoint" --file models/diabetes/endpoint.yml --output none
Assert-Done
Invoke-Patiently {
    az ml batch-deployment create --subscription "$subscription" --resource-group "$group" `
        --workspace-name "$workspace" --endpoint-name "$endpoint" --file models/diabetes/deployment.yml `
        --set-default --output none
}
Assert-Done
$url = az ml batch-endpoint show --subscription "$subscription" --resource-group "$group" --workspace-name "$workspace" `
    --name "$endpoint" --query scoring_uri --output tsv
Assert-Done

$routes = '.azure/routes.toml'
New-Item -ItemType Directory -Force .azure | Out-Null
(Get-Content infra/hooks/routes.toml -Raw).Replace('SCORING_URL', $url) | Set-Content $routes -NoNewline

$found = Invoke-Patiently {
    az storage blob exists --subscription "$subscription" --auth-mode login `
        --account-name "$storage" --container-name "$config" --name routes.toml --query exists --output tsv
}
if ($LASTEXITCODE -ne 0) {
    Write-Output "The container $config cannot be reached from here. Once the app is deployed: dropscore routes set $routes"
    exit 0
}
if ($found -eq 'true') {
    Write-Output "config/routes.toml is there already and is left alone. The sample model's route is in $routes"
    exit 0
}
az storage blob upload --subscription "$subscription" --auth-mode login `
    --account-name "$storage" --container-name "$config" --name routes.toml --file "$routes" --output none
Assert-Done
Write-Output "The sample model scores what is dropped as diabetes/*.csv."
