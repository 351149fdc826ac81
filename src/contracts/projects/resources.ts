import { z } from '@hono/zod-openapi'

const number = z.int().openapi({ description: 'the number of the user' })

const ProjectUserResource = z
  .object({
    id: number,
    email: z.string(),
    first_name: z.string(),
    last_name: z.string(),
    username: z.string(),
  })
  .openapi('ProjectUser')

export const ProjectResource = z
  .object({
    id: z.int(),
    title: z.string(),
    owner: ProjectUserResource,
    coach: ProjectUserResource.nullable(),
    participants: z.array(ProjectUserResource),
    created_at: z.string().openapi({ example: '08/06/2021, 22:58' }),
    seq: z.int(),
  })
  .openapi('Project')

export const MessageResource = z
  .object({
    id: z.int().openapi({ description: 'counts the messages of the project' }),
    project_id: z.int(),
    content: z.string().nullable(),
    file_name: z.string().nullable(),
    created_at: z.string().openapi({ example: '08/06/2021, 22:58' }),
    sender: ProjectUserResource,
    receiver: ProjectUserResource.nullable(),
  })
  .openapi('ProjectMessage')
