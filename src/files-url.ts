import { fileURLToPath } from 'node:url'

/** Where sent files are. */
export type FilesConfig =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly region: string; readonly endpoint: string | null }

/** Either where it leads, or what is wrong with it and what to do. */
export type FilesUrl = { readonly files: FilesConfig } | { readonly problem: string }

/** Pure: reads `FILES_URL`. */
export function readFilesUrl(text: string): FilesUrl {
  if (!URL.canParse(text)) return { problem: 'this is no address: begin with file:/// or s3://' }
  const url = new URL(text)
  if (`${url.username}${url.password}` !== '')
    return { problem: 'credentials do not belong here: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY' }
  if (url.hash !== '') return { problem: `write %23 for a #, or take ${JSON.stringify(url.hash)} away` }
  switch (url.protocol) {
    case 'file:':
      return directoryAt(text, url)
    case 's3:':
      return bucketAt(url)
    default:
      return { problem: `nothing is kept at ${url.protocol}: begin with file:/// or s3://` }
  }
}

function directoryAt(text: string, url: URL): FilesUrl {
  if (url.host !== '')
    return { problem: `${JSON.stringify(url.host)} is read as a machine: write file:///${url.host}${url.pathname}` }
  if (!/^file:\/\//i.test(text)) return { problem: 'write file:// and the whole path, which begins with a /' }
  if (url.search !== '') return { problem: `write %3F for a ?, or take ${JSON.stringify(url.search)} away` }
  try {
    return { files: { kind: 'directory', path: fileURLToPath(url) } }
  } catch (error) {
    return { problem: `this is no path (${(error as Error).message}): write a / as it is` } // Node throws Errors only
  }
}

const PARAMETERS: readonly string[] = ['region', 'endpoint']

function bucketAt({ hostname: bucket, port, pathname, searchParams }: URL): FilesUrl {
  if (bucket === '') return { problem: 'the name of the bucket is missing: write s3://name' }
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/.test(bucket))
    return { problem: `${JSON.stringify(bucket)} is no name of a bucket: letters, digits, . and -, at least three` }
  if (port !== '') return { problem: 'a bucket has no port: name the server as endpoint=http://host:port' }
  if (!/^\/?$/.test(pathname)) return { problem: `a bucket is used as a whole: take ${JSON.stringify(pathname)} away` }
  for (const [name, value] of searchParams) {
    if (!PARAMETERS.includes(name))
      return {
        problem: `${JSON.stringify(name)} is no parameter: correct it or take it away (${PARAMETERS.join(', ')})`,
      }
    if (searchParams.getAll(name).length > 1) return { problem: `${name} is there twice: take one away` }
    if (value === '') return { problem: `${name} is empty: give it a value or take it away` }
  }
  const region = searchParams.get('region') ?? 'us-east-1'
  if (!/^[A-Za-z0-9-]+$/.test(region))
    return { problem: `${JSON.stringify(region)} is no region: write one like eu-central-1` }
  const endpoint = searchParams.get('endpoint')
  if (endpoint !== null && !isEndpoint(endpoint))
    return { problem: 'an endpoint is like http://127.0.0.1:9000, without credentials: correct it' }
  return { files: { kind: 's3', bucket, region, endpoint } }
}

/** Some servers speak S3 under a path. */
function isEndpoint(text: string): boolean {
  if (!/^https?:\/\/[^/]/.test(text) || !URL.canParse(text)) return false
  const { username, password, search, hash } = new URL(text)
  return `${username}${password}${search}${hash}` === ''
}
