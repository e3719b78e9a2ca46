package command

import (
	"net"
	"net/netip"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// restrictions reads authenticationRestrictions, the addresses that a user or a role is
// bound to: a list of which one must be met, each naming networks that the client must
// come from (clientSource), or that it must have dialled (serverAddress), or both.
// Missing says that the command names none.
func (r *Request) restrictions() (bsonval.Value, error) {
	const field = "authenticationRestrictions"
	v := r.Body.Get(field)
	if v.IsNullish() {
		return bsonval.Value{}, nil
	}
	list, err := arrayField(r.Body, field, r.field(field))
	if err != nil {
		return v, err
	}
	for e := range list.Values() {
		if e.Type() != bsonval.Object {
			return v, wrongType(r.field(field), e, "object")
		}
		for name, networks := range e.Doc().All() {
			if name != "clientSource" && name != "serverAddress" {
				return v, unknownField(r.field(field) + "." + name)
			}
			if _, err := readNetworks(networks); err != nil {
				return v, err
			}
		}
	}
	return v, nil
}

func readNetworks(v bsonval.Value) ([]netip.Prefix, error) {
	if v.Type() != bsonval.Array {
		return nil, mongoerr.New(mongoerr.TypeMismatch, "addresses must be given as an array of strings, not as %s", v.Type())
	}
	var out []netip.Prefix
	for e := range v.Doc().Values() {
		text := stringOr(e, "")
		network, err := netip.ParsePrefix(text)
		if err != nil {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil, mongoerr.New(mongoerr.BadValue, "Invalid CIDR or IP address: %s", e)
			}
			network = netip.PrefixFrom(addr, addr.BitLen())
		}
		out = append(out, network.Masked())
	}
	return out, nil
}

// mayEnter tells whether the connection meets what a user is bound to, and what each of
// the user's roles is.
func (s *Server) mayEnter(c *Conn, user bsonval.Doc) bool {
	if !c.meets(user.Get("authenticationRestrictions")) {
		return false
	}
	for v := range s.inherited(user.Get("roles").Doc()).Values() {
		name, db := roleOf(v, "")
		if role := s.findRole(name, db); role != nil && !c.meets(role.Get("authenticationRestrictions")) {
			return false
		}
	}
	return true
}

func (c *Conn) meets(restrictions bsonval.Value) bool {
	if restrictions.Type() != bsonval.Array || restrictions.Doc().IsEmpty() {
		return true
	}
	for v := range restrictions.Doc().Values() {
		if v.Type() == bsonval.Object && within(c.Remote, v.Doc().Get("clientSource")) && within(c.Addr, v.Doc().Get("serverAddress")) {
			return true
		}
	}
	return false
}

// within tells whether the host of an address is in one of the networks; what is no IP
// address is in none, and networks that are missing hold all.
func within(address string, networks bsonval.Value) bool {
	if networks.IsMissing() {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	list, err := readNetworks(networks)
	if err != nil {
		return false
	}
	for _, network := range list {
		if network.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// inheritedRestrictions are those of a list of roles and of those that they have.
func (s *Server) inheritedRestrictions(roles bsonval.Doc) bsonval.Doc {
	var b bsonval.Builder
	for v := range s.inherited(roles).Values() {
		name, db := roleOf(v, "")
		if role := s.findRole(name, db); role != nil {
			if list := role.Get("authenticationRestrictions"); list.Type() == bsonval.Array && !list.Doc().IsEmpty() {
				b.Item(list)
			}
		}
	}
	return b.Doc()
}
