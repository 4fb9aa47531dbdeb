use super::Layer;

impl Layer {
    /// A child over what its parents came to: `env` by variable and the commit identity by field, the child winning; all else
    /// is the child's own as soon as it says anything, even if that is empty.
    pub fn overlaid(mut self, child: Self) -> Self {
        self.env.extend(child.env);
        Self {
            env: self.env,
            provider: child.provider.or(self.provider),
            user: self.user.overlaid(child.user),
            repos: child.repos.or(self.repos),
            egress: child.egress.or(self.egress),
            supervise: child.supervise.or(self.supervise),
            limits: child.limits.or(self.limits),
            tools: child.tools.or(self.tools),
            workspace: child.workspace.or(self.workspace),
        }
    }
}
