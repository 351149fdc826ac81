import type { Role } from '../../../machines/kernel.ts'
import type { ClientKind } from '../../delivery/connection.ts'

/** How somebody with this role comes in by `product_type` of the handshake (contract 000), or why they cannot. */
export function clientKindOf(
  role: Role,
  productType: unknown,
): { readonly kind: Exclude<ClientKind, 'anonymous'> } | { readonly problem: string } {
  if (productType !== 'manager') return { kind: 'app' }
  if (role === 'teacher' || role === 'admin') return { kind: 'hub' }
  return {
    problem: `product_type=manager is for teachers and admins, the token's role is ${role}: leave product_type out`,
  }
}
